// Receives events with express and checks their signatures as the specification's
// sample does: over the body as JSON.stringify writes what express.json() read.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { api, emulator, require, signIn } from "./service.mjs";

const axios = require("axios");
const express = require("express");
const auth = await signIn();
const secret = "a secret, with ümläuts";

let accepted = 0;
let rejected = 0;
let arrived;
const settled = new Promise((resolve) => (arrived = resolve));

const app = express();
app.use(express.json());
app.post("/hook", (request, response) => {
  const computed = createHmac("sha256", secret).update(JSON.stringify(request.body)).digest("hex");
  if (computed === request.headers["x-salesiq-signature"]) {
    accepted++;
  } else {
    console.error("rejected", JSON.stringify(request.body));
    rejected++;
  }
  response.status(200).json({ received: true });
  if (request.body.event === "trigger.executed") {
    arrived();
  }
});
const server = app.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

await axios.post(`${api}/webhooks`, {
  name: "Express", url: `http://127.0.0.1:${server.address().port}/hook`, secret, enabled: true,
  events: ["chat.started", "chat.ended", "chat.rating", "message.received", "visitor.identified", "operator.status_changed", "lead.created", "trigger.executed"],
}, auth);

// What calls cause.
await axios.post(`${api}/chats/chat123/messages`, { message: "<p>5 > 4 & 3 < 4</p> \u2028\u2029 \"ü\" 👩🏽‍🚀 \u0000\u001f\u007f \\", type: "html" }, auth);
await axios.post(`${api}/chats/chat123/end`, { message: "Tschüß" }, auth);
await axios.post(`${api}/chats/chat123/rating`, { rating: 5, feedback: "</script>" }, auth);
await axios.patch(`${api}/visitors/visitor123`, { name: "Łukasz", email: "l@mail.example" }, auth);
await axios.patch(`${api}/operators/operator123`, { status: "away" }, auth);

// What a program may put into an event by hand. The bodies are text, since
// JavaScript's own numbers and orders would be too tidy.
for (const data of [
  '{"lead_id":"lead1","score":1.0,"ratio":1e-7,"big":1E21,"small":-0.0,"id":12345678901234567890}',
  '{"lead_id":"lead2","10":"ten","2":"two","b":1,"a":2,"01":"text","-1":"text"}',
  '{"lead_id":"lead3","escaped":"\\u00e9\\/\\u003c\\ud83d\\ude00","nested":[[],{},null,true,{"1":{},"0":[0.1,1e3]}]}',
  '{ "lead_id" : "lead4" , "spaces" : [ 1 , 2 ] }',
]) {
  await axios.post(`${emulator}/events`, `{"event":"lead.created","data":${data}}`, { headers: { "Content-Type": "application/json" } });
}
await axios.post(`${emulator}/events`, { event: "trigger.executed", data: { trigger_id: "last" } });

await settled;
server.close();
server.closeAllConnections();
assert.equal(rejected, 0);
console.log(JSON.stringify({ accepted, rejected }));
