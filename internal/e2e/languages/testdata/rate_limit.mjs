// Calls until the rate limit is spent, waits as its headers say, and calls again.
import assert from "node:assert/strict";
import { api, require, signIn } from "./service.mjs";

const axios = require("axios");
const auth = await signIn();
let answered = 0;
let refused = 0;

const list = async () => {
  const { headers } = await axios.get(`${api}/visitors`, { params: { status: "online", per_page: 1 }, ...auth });
  assert.equal(headers["x-ratelimit-limit"], "10");
  answered++;
};

while (answered < 200) {
  try {
    await list();
  } catch (error) {
    const { status, headers, data } = error.response;
    assert.equal(status, 429);
    assert.equal(data.code, "RATE_LIMIT_EXCEEDED");
    assert.equal(headers["x-ratelimit-remaining"], "0");
    refused++;
    const early = 10; // A timer may ring a little before its time.
    await new Promise((resume) => setTimeout(resume, headers["x-ratelimit-reset"] * 1000 - Date.now() + early));
    await list();
    break;
  }
}
console.log(JSON.stringify({ answered, refused }));
