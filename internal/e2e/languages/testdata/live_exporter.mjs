// An exporter: it reads all that has been said, how it went, what visitors thought of
// it and who they are, in each of the ways in which the service pages its lists, and
// prints how much that is.
import assert from "node:assert/strict";
import { base, check, collect, envelope, pages, portal, serviceFor, signIn } from "./live.mjs";

const service = serviceFor(await signIn());
const counts = {};

// Conversations: by page and limit, and by index, as others report.
const byPage = await collect(pages(99, async (page) => (await service.get(`${base}/conversations`, { page, limit: 99 })).data));
const byIndex = [];
for (let more = true; more;) {
  const answer = await service.get(`${base}/conversations`, { index: byIndex.length + 1, limit: 100 });
  byIndex.push(...answer.data);
  more = check(answer.more_data_available, "bool");
}
assert.deepEqual(byIndex.map((c) => c.id), byPage.map((c) => c.id));
assert.equal(new Set(byPage.map((c) => c.id)).size, byPage.length, "none comes twice");
counts.conversations = byPage.length;
const byReference = await service.get(`${base}/conversations`, { reference_ids: `${byPage[3].reference_id},${byPage[7].reference_id}` });
assert.deepEqual(byReference.data.map((c) => c.id), [byPage[3].id, byPage[7].id]);
await service.refused(1011, "GET", `${base}/conversations`, { query: { page: 2, index: 5 } });

// What was said, in the v2 list, in the export, and in the transcript of v1.
const ended = byPage.filter((c) => c.chat_status.state_key === "end");
const one = ended.find((c) => c.attender) ?? assert.fail("nobody attended anything");
const path = `${base}/conversations/${one.id}`;
const messages = (await service.get(`${path}/messages`, { limit: 100 })).data;
check(messages, [{ sequence_id: "numstr", sender: { id: "id", name: "str" }, type: "str", message: { "text?": "str" }, time: "msstr" }]);
const half = messages[Math.floor(messages.length / 2)].time;
const [early, late] = await Promise.all([
  service.get(`${path}/messages`, { from_time: 1, to_time: half - 1 }),
  service.get(`${path}/messages`, { from_time: half }),
]);
assert.deepEqual([...early.data, ...late.data], messages);
const exported = await service.post(`${path}/export`, { data: "messages", format: "json" });
assert.deepEqual(exported.data, messages);
await service.refused(1011, "POST", `${path}/export`, { body: { data: "messages", format: "pdf" } });
const v1 = `/api/v1/${portal}`;
const [about, ...lines] = (await service.get(`${v1}/chats/${one.reference_id}/transcript`)).data;
check(about, { chatinitiated_time: "msstr", visitor_name: "str", question: "str" });
check(lines, [{ sender: "id", time: "msstr", dname: "str", msg: "str" }]);
assert.deepEqual(lines.map((l) => l.msg), messages.map((m) => m.message.text));
assert.deepEqual([...new Set(lines.map((l) => l.sender))], [one.attender.id], "the operator's, in all lines");
counts.messages = 0;
for (const conversation of ended.slice(0, 20)) {
  counts.messages += (await service.get(`${base}/conversations/${conversation.id}/messages`, { limit: 100 })).data.length;
}

// How it went: threads, with what is asked for as a JSON list.
const thread = {
  id: "numstr", thread_id: "numstr", thread_number: "numstr", conversation_id: "id", reference_id: "numstr", wms_chat_id: "str", question: "str",
  status: "str", status_code: "numstr", inititated_by: "str", ended_by: "str", from_time: "msstr", to_time: "msstr",
};
const threads = envelope(await service.get(`${path}/threads`, { include_fields: '["attender","department","brand","metrics"]' }), "conversations", [{
  ...thread, attender: { id: "id", name: "str", type: "str" }, department: { id: "id", name: "str" }, brand: { id: "id", name: "str" },
  metrics: { operator_message_count: "numstr", visitor_message_count: "numstr", first_response_time: "numstr", total_chat_duration: "numstr", missed_reason: "str" },
  time: { initiated_time: "msstr", connected_time: "msstr" },
}]);
const first = await service.get(`${path}/threads/${threads[0].thread_number}`);
envelope(first, "conversations", thread);
assert.ok(first.url.endsWith(threads[0].thread_id), first.url);
assert.ok(!("metrics" in first.data), "it was not asked for");
await service.refused(1011, "GET", `${path}/threads`, { query: { limit: 51 } });

// Calls, by an index from 0 and with what is asked for between commas.
const call = {
  id: "id", type: "str", status: "str", created_time: "msstr", pickup_time: "msstr", connected_time: "msstr", end_time: "msstr", missed_time: "msstr",
  initiated_by: { type: "str", id: "str" }, ended_by: { type: "str", id: "str" }, last_attender: { id: "str" },
  voice_message_available: "bool", recording_available: "bool", transcript_available: "bool", summary_available: "bool",
};
const calls = [];
for (let index = 0, read = 10; read === 10; index += read) {
  const found = envelope(await service.get(`${base}/calls`, { index, limit: 10, include_fields: "brand,conversation" }), "list", [{
    ...call, brand: { id: "id", name: "str" }, conversation: { id: "id", reference_id: "numstr", status: "str", type: "str", in_time: "msstr", thread_number: "num" },
  }]);
  calls.push(...found);
  read = found.length;
}
counts.calls = calls.length;
const missed = (await service.get(`${base}/calls`, { status: "missed" })).data;
assert.deepEqual(missed.map((c) => c.id), calls.filter((c) => c.status === "missed").map((c) => c.id));
const spoken = calls[0].conversation;
envelope(await service.get(`${base}/conversations/${spoken.id}/calls`), "calls", [call]);
envelope(await service.get(`${base}/conversations/${spoken.id}/threads/${spoken.thread_number}/calls`), "calls", [call]);
await service.refused(1011, "GET", `${base}/calls`, { query: { limit: 11 } });

// What visitors thought of it.
const feedback = {
  id: "id", feedback: "str", rating: { type: "str", value: "str" }, app_id: "id", chatlet_count: "numstr",
  attender: { id: "id", display_name: "str", email: "str", type: "str", image_url: "str" },
  visitor: { name: "str", first_name: "str", last_name: "str", salutation: "str", supported_operations: ["str"] },
  conversation: { id: "id", question: "str", reference_id: "numstr", start_time: "msstr", end_time: "msstr", notes_available: "boolstr", mode: "str" },
};
const ratings = [];
for (let read = 20; read === 20;) {
  const found = envelope(await service.get(`${base}/feedbacks`, { index: ratings.length + 1, limit: 20 }), "list", [feedback]);
  ratings.push(...found);
  read = found.length;
}
counts.feedback = ratings.length;
const verdict = envelope(await service.get(`${base}/feedbacks/${ratings[0].id}`), "feedback", feedback);
assert.deepEqual((await service.get(`${base}/conversations/${verdict.conversation.id}/feedback`)).data, verdict);

// Who came: the three lists of v3, by keys, and the view of v1.
const keyed = async (list, form) => {
  const all = [];
  for (let key = "1"; ;) {
    const answer = await service.get(`/api/v3/${portal}/${list}`, { limit: 60, next_key: key });
    all.push(...envelope(answer, "list", [form]));
    if (answer.data.length === 0) return all.length;
    assert.ok(!answer.url.includes(portal), answer.url);
    key = answer.next_key;
  }
};
counts.visitors = await keyed("visitors", {
  id: "id", name: "str", "email?": "str", country: "str", lead_score: "num", visit_source: "str", visit_count: "num",
  first_accessed_time: "msstr", last_accessed_time: "msstr",
});
counts.visits = await keyed("visits", {});
counts.events = await keyed("visitorevents", { uuid: "str", uvid: "id", visit_id: "numstr", event: "str", url: "str", time: "msstr", time_spent: "numstr" });
await service.refused(1011, "GET", `/api/v3/${portal}/visitors`, { query: { next_key: 1, prev_key: 2 } });
const viewed = [];
for (let query = {}; query;) {
  const data = (await service.get(`${v1}/visitorsview/-1/visitors`, query)).data;
  check(data.visitorlist, [{ id: "numstr", user_uniqueid: "id", name: "str", lastvisit_source: "str", lastvisit_time: "msstr", lastcontacted_mode: "str", total_timespent: "numstr" }]);
  viewed.push(...data.visitorlist);
  query = data.startkey && { startkey: data.startkey };
}
assert.equal(new Set(viewed.map((v) => v.id)).size, counts.visitors, "the same visitors by either list");
await service.refused(2210, "GET", `${v1}/visitorsview/77/visitors`);

console.log(JSON.stringify(counts));
