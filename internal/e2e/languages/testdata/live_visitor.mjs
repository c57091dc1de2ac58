// A bot in the place of a chat window: it opens conversations for visitors of a shop's
// own app, speaks for them, answers late where it has to look something up, rates and
// ends. An operator watches from the other side.
import assert from "node:assert/strict";
import { base, check, envelope, portal, serviceFor, signIn } from "./live.mjs";

const operator = serviceFor(await signIn());
const visitor = serviceFor(await signIn(process.env.SALESIQ_ORG_REFRESH_TOKEN));
const v1 = `/api/visitor/v1/${portal}/conversations`;
const v2 = `/visitor/v2/${portal}/conversations`;
const seen = {};

const [app] = (await operator.get(`${base}/apps`)).data;
const [department] = (await operator.get(`${base}/departments`)).data;
const person = { user_id: "shop-4711", name: "Noor Haddad", email: "noor@mail.example", phone: "+49 40 1234", platform: "Android", current_page: "https://shop.example/boots" };
const opening = { visitor: person, app_id: app.id, department_id: department.id, question: "Do these boots run small?", customer_info: { cart: "B-17" } };

// A user's token is not enough, and neither is half of what is needed.
await operator.refused(1009, "POST", v1, { body: opening });
for (const name of ["visitor", "app_id", "department_id", "question"]) {
  await visitor.refused(1011, "POST", v1, { body: { ...opening, [name]: undefined } });
}
await visitor.refused(1005, "POST", "/api/visitor/v1/nowhere/conversations", { body: opening });

// A conversation opens, and waits for an operator.
const opened = (await visitor.post(v1, opening)).data;
assert.match(opened.id, /^siq[0-9a-f]+$/);
const [waiting] = (await operator.get(`${base}/conversations`, { status: "waiting", email: person.email })).data;
assert.equal(waiting.question, opening.question);
assert.equal(waiting.visitor.name, person.name);
assert.equal(waiting.department.id, department.id);
assert.equal(waiting.app_id, app.id);
assert.deepEqual(waiting.customer_info, opening.customer_info);
const watched = `${base}/conversations/${waiting.id}`;

// Both speak, and each is told from the other.
await visitor.post(`${v1}/${opened.id}/messages`, { text: "I wear 42" });
const picture = new FormData();
picture.set("file", new Blob(["boots"], { type: "image/png" }), "boots.png");
picture.set("comment", "These");
await visitor.post(`${v1}/${opened.id}/messages`, picture);
const empty = new FormData();
empty.set("file", new Blob([""], { type: "image/png" }), "empty.png");
await visitor.refused(1018, "POST", `${v1}/${opened.id}/messages`, { body: empty });
await operator.put(`${watched}/pickup`);
await operator.post(`${watched}/messages`, { text: "Take 43" });
const messages = (await operator.get(`${watched}/messages`)).data;
seen.said = messages.map((m) => `${m.sender.id.startsWith("$") ? "visitor" : "operator"} ${m.type}`);
const file = messages.find((m) => m.type === "file").message.file;
const picked = await operator.raw("GET", `${watched}/attachments/${file.id}`);
assert.equal(picked.headers.get("Content-Type"), "image/png");
assert.equal(await picked.text(), "boots");

// The visitor says who it is.
const named = envelope(await visitor.put(`${v1}/${opened.id}/visitor`, { last_name: "Haddad-Lind", phone: "+49 40 9999" }), "conversations", {
  id: "id", question: "str",
  visitor: {
    id: "id", user_id: "str", name: "str", email: "str", phone: "str", type: "str", ip: "str", country_code: "str", channel_name: "str",
    channel_details: { channel: "str", source: "str" }, supported_operations: ["str"],
  },
});
assert.equal(named.visitor.phone, "+49 40 9999");
assert.match(named.visitor.name, /Haddad-Lind$/);
assert.match(named.visitor.user_id, /^\$/);
assert.equal((await operator.get(watched)).data.visitor.name, named.visitor.name);

// The bot needs longer than an answer may take.
const pending = `${base}/callbacks/7f0c9d3a-bot-request`;
await operator.post(`${pending}/progress`, { text: "Asking the warehouse" });
await operator.refused(1011, "POST", `${pending}/progress`, { body: {} });
await operator.refused(1011, "POST", `${pending}/response`, { body: { action: "shrug", replies: [] } });
await operator.post(`${pending}/response`, { action: "reply", replies: ["They do", { type: "file", text: "Sizes", url: "https://shop.example/sizes.pdf" }] });
await operator.refused(1019, "POST", `${pending}/response`, { body: { action: "reply", replies: ["Again"] } });

// It ends, is rated, and is taken up again.
await operator.put(`${watched}/close`);
await visitor.refused(1011, "POST", `${v1}/${opened.id}/messages`, { body: { text: "Hello?" } });
await visitor.refused(1011, "POST", `${v1}/${opened.id}/feedback`, { body: { rating: "great" } });
await visitor.refused(1011, "POST", `${v1}/${opened.id}/feedback`, { body: { rating: "happy", feedback: "x".repeat(2049) } });
const rated = await visitor.raw("POST", `${v1}/${opened.id}/feedback`, { body: { rating: "happy", feedback: "They fit" } });
assert.equal(rated.status, 200);
const verdict = (await operator.get(`${watched}/feedback`)).data;
assert.deepEqual([verdict.rating.value, verdict.feedback], ["happy", "They fit"]);
seen.rated = verdict.rating.value;
const again = envelope(await visitor.post(`${v1}/${opened.id}/reopen`, { message: "One more thing", visitor: { platform: "Android" } }), "conversations", {
  id: "id", wms_chat_id: "str", question: "str", unread_chats: "bool", time_difference: "numstr",
});
assert.notEqual(again.id, opened.id, "the id of the answer is another one");
assert.equal(again.question, "One more thing");
const threads = (await operator.get(`${watched}/threads`)).data;
seen.threads = threads.map((t) => `${t.thread_number} ${t.status}`);
await visitor.post(`${v1}/${again.id}/messages`, { text: "Do you have laces?" });

// The same in version 2, and a message when nobody is there.
const second = { ...opening, visitor: { ...person, user_id: "shop-4712", email: "second@mail.example" } };
const other = (await visitor.post(v2, second)).data;
check(other.id, "id");
const left = envelope(await visitor.put(`${v2}/${other.id}/close`), "conversations", {
  id: "id", wms_chat_id: "str", chat_id: "str", reference_id: "numstr", question: "str", unread_chats: "bool", department: { id: "id", name: "str" },
  visitor: { name: "str", country_code: "str", ip: "str" }, chat_status: { status_code: "num", state: "num" },
  start_time: "msstr", attended_time: "msstr", end_time: "msstr",
});
assert.notEqual(left.id, other.id, "the id of the answer is another one");
const late = { visitor: { ...person, user_id: "shop-4713", email: "third@mail.example" }, app_id: app.id, department_id: department.id, message: "Call me" };
await visitor.post(`${v2}/leavemessage`, late);
await visitor.refused(1011, "POST", `${v2}/leavemessage`, { body: { ...late, message: undefined } });
const [missed] = (await operator.get(`${base}/conversations`, { status: "missed", email: "third@mail.example" })).data;
seen.missed = missed.question;

console.log(JSON.stringify(seen));
