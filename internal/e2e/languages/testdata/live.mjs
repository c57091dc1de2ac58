// What callers of the live service beside this one share. They are written after
// what its vendor publishes, with nothing but what Node.js has.
import assert from "node:assert/strict";

const { SALESIQ_BASE_URL, ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN } = process.env;

export const portal = process.env.SALESIQ_PORTAL;
export const base = `/api/v2/${portal}`;

// signIn trades a refresh token for an access token.
export const signIn = async (refreshToken = ZOHO_REFRESH_TOKEN) => {
  const grant = { grant_type: "refresh_token", client_id: ZOHO_CLIENT_ID, client_secret: ZOHO_CLIENT_SECRET, refresh_token: refreshToken };
  const answer = await fetch(`${SALESIQ_BASE_URL}/oauth/v2/token`, { method: "POST", body: new URLSearchParams(grant) });
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
};

// serviceFor returns the calls that a token makes.
export const serviceFor = (token) => {
  const raw = (method, path, { query = {}, body, headers = {} } = {}) => {
    const url = new URL(SALESIQ_BASE_URL + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const isForm = body instanceof FormData;
    const type = body && !isForm ? { "Content-Type": "application/json" } : {};
    return fetch(url, {
      method,
      body: body && !isForm ? JSON.stringify(body) : body,
      headers: { Authorization: `Zoho-oauthtoken ${token}`, ...type, ...headers },
    });
  };
  const call = async (method, path, options) => {
    const answer = await raw(method, path, options);
    const text = await answer.text();
    return text ? JSON.parse(text) : { status: answer.status };
  };
  const done = async (method, path, options) => {
    const answer = await call(method, path, options);
    assert.equal(answer.error, undefined, `${method} ${path} ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    raw,
    get: (path, query) => done("GET", path, { query }),
    post: (path, body, options) => done("POST", path, { body, ...options }),
    put: (path, body) => done("PUT", path, { body }),
    remove: (path, options) => done("DELETE", path, options),
    // refused checks that a call is refused by one of the vendor's numbers.
    refused: async (number, method, path, options) => {
      const answer = await call(method, path, options);
      assert.equal(answer.error?.code, number, `${method} ${path} ${JSON.stringify(answer)}`);
      return answer.error;
    },
  };
};

const isNumber = (v) => typeof v === "string" && /^-?\d+$/.test(v);

// The kinds of values, by the words of the description.
const kinds = {
  str: (v) => typeof v === "string",
  num: (v) => Number.isInteger(v),
  bool: (v) => typeof v === "boolean",
  boolstr: (v) => v === "true" || v === "false",
  numstr: isNumber,
  msstr: (v) => v === "" || v === "-1" || (isNumber(v) && v.length === 13),
  id: (v) => typeof v === "string" && v !== "",
};

// check checks a value by its form: the word of its kind, a list with the form of each
// item, or an object. A name that ends in a question mark may be absent.
export const check = (value, form, where = "data") => {
  if (typeof form === "string") {
    assert.ok(kinds[form](value), `${where} is ${JSON.stringify(value)}, and no ${form}`);
  } else if (Array.isArray(form)) {
    assert.ok(Array.isArray(value), `${where} is ${JSON.stringify(value)}, and no list`);
    value.forEach((item, i) => check(item, form[0], `${where}[${i}]`));
  } else {
    assert.ok(value && typeof value === "object" && !Array.isArray(value), `${where} is ${JSON.stringify(value)}, and no object`);
    for (const [key, inner] of Object.entries(form)) {
      const name = key.replace("?", "");
      if (key === name || name in value) {
        assert.ok(name in value, `${where} has no ${name}: ${JSON.stringify(value)}`);
        check(value[name], inner, `${where}.${name}`);
      }
    }
  }
  return value;
};

// envelope checks an answer that is called something, and returns its data.
export const envelope = (answer, called, form) => {
  assert.equal(answer.object, called);
  check(answer.url, "str", "url");
  return check(answer.data, form);
};

// pages iterates over the items of all pages, which a query is made for by number.
export async function* pages(size, read) {
  for (let page = 1; ; page++) {
    const items = await read(page);
    yield* items;
    if (items.length < size) return;
  }
}

export const collect = async (items) => {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
};
