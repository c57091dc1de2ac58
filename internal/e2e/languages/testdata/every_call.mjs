// Makes each call of the specification with axios. languages_test.go knows what is
// to arrive.
import assert from "node:assert/strict";
import { accounts, api, crm, emulator, exchange, headersOf, refresh, require } from "./service.mjs";

const axios = require("axios");

const day = 24 * 60 * 60 * 1000;
const from_date = new Date(Date.now() - 60 * day).toISOString();
const to_date = new Date(Date.now() + 2 * day).toISOString();

// refused waits for a call to fail, and reads the error as the samples do.
const refused = async (call, status, code) => {
  const error = await call.then(() => assert.fail(`${code} was to come`), (problem) => problem);
  assert.equal(error.response?.status, status, error.message);
  const { data, headers } = error.response;
  assert.match(headers["content-type"], /^application\/json/);
  assert.equal(data.status, "error");
  assert.equal(data.code, code);
  assert.equal(typeof data.message, "string");
  assert.equal(Object.prototype.toString.call(data.details), "[object Object]");
  return { data, headers };
};

// Signing in: with the refresh token, and as a user who agrees to less.
const { access_token: token, ...granted } = await refresh();
assert.equal(granted.token_type, "Bearer");
assert.equal(granted.expires_in, 3600);
assert.ok(granted.api_domain.startsWith("http"));
const auth = headersOf(token);
const json = { headers: { ...auth.headers, "Content-Type": "application/json" } };

const redirect_uri = "https://shop.example/signed-in";
const consent = await axios.get(`${accounts}/auth`, {
  params: {
    scope: "SalesIQ.chats.READ,SalesIQ.visitors.READ",
    client_id: process.env.ZOHO_CLIENT_ID,
    response_type: "code",
    access_type: "offline",
    redirect_uri,
    state: "ticket-7",
  },
  maxRedirects: 0,
  validateStatus: (status) => status === 302,
});
const back = new URL(consent.headers.location);
assert.equal(back.origin + back.pathname, redirect_uri);
assert.equal(back.searchParams.get("state"), "ticket-7");
const code = back.searchParams.get("code");
const narrow = await exchange({ grant_type: "authorization_code", redirect_uri, code });
assert.ok(narrow.refresh_token);
const wrong = await exchange({ grant_type: "authorization_code", redirect_uri, code });
assert.deepEqual(wrong, { error: "invalid_code" }, "a code works once");

// Chats.
let answer = await axios.get(`${api}/chats`, { params: { per_page: 50, status: "active" }, ...auth });
assert.equal(answer.status, 200);
assert.equal(answer.data.status, "success");
assert.equal(answer.data.data.length, 50);
assert.ok(answer.data.data.every((chat) => chat.status === "active"));
assert.ok(answer.data.pagination.total > 50);
answer = await axios.get(`${api}/chats`, { params: { from_date, to_date, visitor_id: "visitor123", page: 1 }, ...auth });
assert.ok(answer.data.data.some((chat) => chat.id === "chat123"));
answer = await axios.get(`${api}/chats`, { params: { to_date: from_date.slice(0, 10), per_page: 1 }, ...auth });
assert.deepEqual(answer.data.data, []);
const tooMany = await refused(axios.get(`${api}/chats`, { params: { per_page: 101 }, ...auth }), 400, "INVALID_REQUEST");
assert.equal(tooMany.data.details.field, "per_page");
assert.ok(Number(tooMany.headers["x-ratelimit-remaining"]) > 0);

answer = await axios.get(`${api}/chats/chat123`, auth);
const { id, status, ended_at, rating, visitor_info } = answer.data.data;
assert.deepEqual([id, status, ended_at, rating], ["chat123", "active", null, null]);
assert.equal(typeof visitor_info, "object");
await refused(axios.get(`${api}/chats/chat0`, auth), 404, "RESOURCE_NOT_FOUND");
await refused(axios.get(`${api}/chats/chat123`, headersOf("made-up")), 401, "INVALID_TOKEN");

const before = (await axios.get(`${api}/chats/chat123/transcript`, auth)).data.data;
answer = await axios.post(`${api}/chats/chat123/messages`, { message: "Grüße 🙂 <b>&", type: "text" }, json);
assert.equal(answer.status, 201);
assert.equal(answer.data.data.message, "Grüße 🙂 <b>&");
const after = (await axios.get(`${api}/chats/chat123/transcript`, auth)).data.data;
assert.equal(after.length, before.length + 1);
assert.deepEqual(after.at(-1), answer.data.data);
answer = await axios.post(`${api}/chats/chat123/transfer`, { operator_id: "operator789", message: "One moment" }, json);
assert.equal(answer.data.data.operator_id, "operator789");
await refused(axios.post(`${api}/chats/chat123/transfer`, { operator_id: "operator203" }, json), 400, "OPERATOR_OFFLINE");
answer = await axios.post(`${api}/chats/chat123/end`, {}, json);
assert.equal(answer.data.data.status, "ended");
assert.ok(!Number.isNaN(Date.parse(answer.data.data.ended_at)));
await refused(axios.post(`${api}/chats/chat123/messages`, { message: "x", type: "text" }, json), 400, "CHAT_NOT_ACTIVE");
answer = await axios.post(`${api}/chats/chat123/rating`, { rating: 4, feedback: "Quick" }, json);
assert.deepEqual([answer.data.data.rating, answer.data.data.feedback], [4, "Quick"]);

// Visitors.
answer = await axios.get(`${api}/visitors`, { params: { per_page: 50, status: "online" }, ...auth });
assert.ok(answer.data.data.length > 0);
answer = await axios.patch(`${api}/visitors/visitor123`, { name: "Zoë", email: "zoe+1@mail.example", custom_fields: { floor: 3 } }, json);
assert.equal(answer.data.data.custom_fields.floor, 3);
answer = await axios.get(`${api}/visitors`, { params: { search: "zoe+1@mail", from_date, to_date }, ...auth });
assert.deepEqual(answer.data.data.map((visitor) => visitor.id), ["visitor123"]);
answer = await axios.get(`${api}/visitors/visitor123`, auth);
assert.equal(answer.data.data.name, "Zoë");
await refused(axios.get(`${api}/visitors/undefined`, auth), 400, "INVALID_VISITOR_ID");
answer = await axios.get(`${api}/visitors/visitor123/activity`, auth);
assert.ok(answer.data.data.sessions[0].pages[0].url);
assert.ok(answer.data.data.chats.some((chat) => chat.chat_id === "chat123" && chat.status === "ended"));
answer = await axios.post(`${api}/visitors/visitor123/tags`, { tags: ["night-owl"] }, json);
assert.ok(answer.data.data.tags.includes("night-owl"));
await refused(axios.post(`${api}/visitors/visitor123/tags`, { tags: ["x"] }, headersOf(narrow.access_token)), 403, "INVALID_OAUTH_SCOPE");

// Operators.
answer = await axios.get(`${api}/operators`, { params: { status: "online", availability: "available" }, ...auth });
assert.ok(answer.data.data.every((operator) => operator.status === "online" && operator.availability === "available"));
answer = await axios.get(`${api}/operators/operator123`, auth);
assert.equal(answer.data.data.id, "operator123");
const newcomer = { name: "Ada", email: "ada@mail.example", role: "agent", department_id: "dept789", max_chats: 2, languages: ["Svenska"] };
answer = await axios.post(`${api}/operators`, newcomer, json);
assert.equal(answer.status, 201);
const made = answer.data.data;
assert.deepEqual([made.active_chats, made.languages], [0, ["Svenska"]]);
await refused(axios.post(`${api}/operators`, newcomer, json), 400, "DUPLICATE_RESOURCE");
answer = await axios.patch(`${api}/operators/${made.id}`, { status: "away", max_chats: 3 }, json);
assert.deepEqual([answer.data.data.status, answer.data.data.max_chats], ["away", 3]);
answer = await axios.get(`${api}/operators/operator456/stats`, { params: { from_date, to_date }, ...auth });
assert.deepEqual(Object.keys(answer.data.data.ratings_breakdown).sort(), ["1", "2", "3", "4", "5"]);
answer = await axios.delete(`${api}/operators/${made.id}`, auth);
assert.deepEqual([answer.status, answer.data], [204, ""]);
await refused(axios.get(`${api}/operators/${made.id}`, auth), 404, "RESOURCE_NOT_FOUND");

// Brands.
answer = await axios.get(`${api}/brands`, auth);
assert.ok(answer.data.data.some((brand) => brand.id === "brand123"));
const settings = (await axios.get(`${api}/brands/brand123`, auth)).data.data.widget_settings;
answer = await axios.patch(`${api}/brands/brand123`, { widget_settings: { theme_color: "#224466" } }, json);
assert.deepEqual(answer.data.data.widget_settings, { ...settings, theme_color: "#224466" });
answer = await axios.get(`${api}/brands/brand123/departments`, auth);
assert.ok(answer.data.data.some((department) => department.id === "dept789"));

// Devices and notifications.
answer = await axios.post(`${api}/devices`, { device_token: "phone-1", platform: "android", operator_id: "operator123" }, json);
assert.equal((await axios.delete(`${api}/devices/${answer.data.data.id}`, auth)).status, 204);
answer = await axios.post(`${api}/notifications`, { operator_id: "operator123", title: "Hi", message: "Look", data: { chat_id: "chat123" } }, json);
assert.deepEqual(answer.data.data.data, { chat_id: "chat123" });

// Routing rules.
answer = await axios.post(`${api}/routing/rules`, {
  name: "Big spenders", priority: 4, enabled: true,
  conditions: [{ field: "visitor.lead_score", operator: "greater_than", value: 90 }],
  actions: { assign_to: "operator", operator_ids: ["operator456"] },
}, json);
assert.equal(answer.data.data.conditions[0].value, 90);
const rule = `${api}/routing/rules/${answer.data.data.id}`;
assert.equal((await axios.patch(rule, { enabled: false }, json)).data.data.enabled, false);
assert.ok((await axios.get(`${api}/routing/rules`, auth)).data.data.some((other) => rule.endsWith(other.id)));
assert.equal((await axios.delete(rule, auth)).status, 204);

// Webhooks.
answer = await axios.post(`${api}/webhooks`, {
  name: "Nightly", url: "https://shop.example/hook", events: ["chat.started", "chat.rating"], enabled: true, secret: "keep-it",
}, json);
assert.ok(!JSON.stringify(answer.data).includes("keep-it"));
const webhook = `${api}/webhooks/${answer.data.data.id}`;
assert.equal((await axios.patch(webhook, { enabled: false }, json)).data.data.enabled, false);
assert.ok((await axios.get(`${api}/webhooks`, auth)).data.data.some((other) => webhook.endsWith(other.id)));
assert.equal((await axios.delete(webhook, auth)).status, 204);

// Leads of Zoho CRM: searched for, made, found.
const search = () => axios.get(`${crm}/Leads/search`, { params: { criteria: "(Email:equals:zoe+1@mail.example)" }, ...auth });
assert.equal((await search()).status, 204);
answer = await axios.post(`${crm}/Leads`, { data: [{ Last_Name: "Zoë", Email: "zoe+1@mail.example" }] }, json);
assert.equal(answer.status, 201);
assert.equal((await search()).data.data[0].Last_Name, "Zoë");

// Faults: an answer that says the service is down, and none although the work
// is done.
await axios.post(`${emulator}/faults`, { path: "/api/v2/brands", status: 503, times: 1 });
await refused(axios.get(`${api}/brands`, auth), 503, "INTERNAL_ERROR");
await axios.post(`${emulator}/faults`, { path: "/api/v2/notifications", effect: "reset", processed: true, times: 1 });
const cut = await axios.post(`${api}/notifications`, { operator_id: "operator123", title: "Hi", message: "Once" }, json).catch((error) => error);
assert.ok(cut.request && !cut.response, "no response was received");

// A token that was revoked is followed by a new one.
await axios.post(`${emulator}/tokens/revoke`);
await refused(axios.get(`${api}/brands`, auth), 401, "INVALID_TOKEN");
assert.equal((await axios.get(`${api}/brands`, headersOf((await refresh()).access_token))).status, 200);

console.log("made every call");
