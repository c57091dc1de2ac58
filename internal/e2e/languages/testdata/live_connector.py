"""A connector, as integration platforms have them: it finds the portal, polls for
conversations, reads and answers them, and keeps their tags in step with a list of
its own. It prints what it has seen."""

import json

from live import Service, check, envelope, listed, now, sign_in

REF = {"id": "str", "name": "str"}
PARTY = {"id": "id", "name": "str", "email": "str", "image_key": "str", "is_bot": "bool"}
CONVERSATION = {
    "id": "id", "type": "str", "reference_id": "numstr", "chat_id": "str", "uvid": "str", "question": "str",
    "unread_chats": "bool", "notes": "bool", "status": "str", "status_code": "num", "app_id": "id", "app_name": "str",
    "owner?": PARTY, "attender?": PARTY, "participants": [PARTY], "supervisors": [PARTY], "department": REF,
    "visitor": {"id": "id", "name": "str", "country_code?": "str", "supported_operations": ["str"]},
    "chat_status": {"id": "numstr", "state": "num", "status_code": "num", "state_key": "str", "status_key": "str", "label": "str"},
    "last_message_info?": {"sequence_id": "numstr", "sender": REF, "type": "str", "message": {}},
    "start_time": "msstr", "attended_time": "msstr", "missed_time": "msstr", "end_time": "msstr", "last_modified_time": "msstr",
}
MESSAGE = {"sequence_id": "numstr", "sender": {"id": "id", "name": "str"}, "type": "str", "message": {"text?": "str"}, "time": "msstr"}
TAG = {
    "id": "id", "name": "str", "color": "str", "module": "str", "archived": "bool", "status": "str", "modified_time": "msstr",
    "modifier": {"id": "id", "name": "str", "modified_time": "msstr"},
}

service = Service(sign_in())
seen = {}

# The portal, which all other paths begin with.
portals = listed(service.get("/api/v2/portals"), {
    "screenname": "str", "name": "str", "owner_zuid": "numstr", "operator_id": "id", "logo": "str", "created_time": "msstr",
})
service.portal = seen["portal"] = portals[0]["screenname"]
portal = envelope(service.get(f"/api/v2/portals/{service.portal}"), "portal", {
    "screenname": "str", "company_name": "str", "description": "str", "email_id": "str", "phone": "str", "mobile": "str", "website": "str",
    "language": "str", "address": "str", "street": "str", "city": "str", "state": "str", "country": "str", "logo": "str", "icon": "str",
    "owner": {"zuid": "numstr", "operator_id": "id", "name": "str", "email_id": "str"},
})
me = portal["owner"]["operator_id"]
assert portals[0]["operator_id"] == me and portals[0]["owner_zuid"] == portal["owner"]["zuid"]
service.refused(1005, "GET", "/api/v2/nowhere/conversations")
service.refused(1005, "GET", "/api/v2/portals/nowhere")
service.refused(1006, "GET", "/api/v2/conversations")
service.refused(1004, "PATCH", "~/conversations")
assert Service("spoiled", service.portal).call("GET", "~/conversations")["error"]["code"] == 1008

# The trigger: conversations that are waiting or under way, page by page.
def pages(**query):
    page = 1
    while True:
        found = listed(service.get("~/conversations", page=page, limit=25, **query), CONVERSATION)
        yield from found
        if len(found) < 25:
            return
        page += 1

seen["connected"] = len(list(pages(status="connected")))
seen["open"] = len(list(pages(status="open")))
waiting = list(pages(status="waiting"))
assert {c["chat_status"]["state_key"] for c in waiting} == {"waiting"} and not any("attender" in c for c in waiting)
assert seen["connected"] + len(waiting) == seen["open"]
assert len(service.get("~/conversations")["data"]) == 20, "limit is 20 unless it is given"

# Each filter leaves something out, or is refused. None is ignored.
some = waiting[0]
for name, value, holds in (
    ("department_id", some["department"]["id"], lambda c: c["department"]["id"] == some["department"]["id"]),
    ("app_id", some["app_id"], lambda c: c["app_id"] == some["app_id"]),
    ("from_time", some["start_time"], lambda c: int(c["start_time"]) >= int(some["start_time"])),
    ("to_time", some["start_time"], lambda c: int(c["start_time"]) <= int(some["start_time"])),
    ("updated_from_time", some["last_modified_time"], lambda c: int(c["last_modified_time"]) >= int(some["last_modified_time"])),
):
    kept = list(pages(status="open", **{name: value}))
    assert kept and all(map(holds, kept)) and len(kept) < seen["open"], (name, len(kept))
leads, contacts = (len(list(pages(visitor_type=kind))) for kind in ("lead", "contact"))
seen["all"] = leads + contacts
times = [int(c["start_time"]) for c in pages(status="open", sort_by="in_time")]
assert times == sorted(times)
assert all(set(c) <= {"id", "question"} for c in service.get("~/conversations", fields="id,question")["data"])
for wrong in ({"status": "asleep"}, {"visitor_type": "robot"}, {"sort_by": "mood"}, {"fields": "soul"}, {"limit": 100}, {"page": 0}, {"colour": "red"}):
    assert service.refused(1011, "GET", "~/conversations", **wrong)["param"] == next(iter(wrong))

# One conversation from the first answer to the last.
one = f"~/conversations/{some['id']}"
picked = envelope(service.change("PUT", one + "/pickup"), "conversations", CONVERSATION)
assert picked["owner"]["id"] == picked["attender"]["id"] == me and picked["chat_status"]["state_key"] == "connected"
assert envelope(service.get(one), "conversations", CONVERSATION)["attender"]["id"] == me
before = listed(service.get(one + "/messages"), MESSAGE)
assert before[0]["sender"]["id"].startswith("$") and before == sorted(before, key=lambda m: int(m["sequence_id"]))
service.change("POST", one + "/messages", {"text": "Grüße 🙂 <b>&"})
part = "\r\n".join([
    "--edge", 'Content-Disposition: form-data; name="comment"', "", "The map",
    "--edge", 'Content-Disposition: form-data; name="file"; filename="map.txt"', "Content-Type: text/plain", "", "north", "--edge--", "",
])
status, text = service.raw("POST", one + "/messages", part.encode(), "multipart/form-data; boundary=edge")
assert status == 200 and "error" not in json.loads(text), text
after = listed(service.get(one + "/messages"), MESSAGE)
assert [m["type"] for m in after[len(before):]] == ["text", "file"] and after[len(before)]["message"]["text"] == "Grüße 🙂 <b>&"
assert after[-1]["sender"]["id"] == me
newest = listed(service.get(one + "/messages", limit=2, to_time=now()), MESSAGE)
assert newest == after[-1:-3:-1], "to_time alone: the newest first"
seen["said"] = len(after) - len(before)
note = envelope(service.change("POST", one + "/notes", {"notes": "Wants a map"}), "notes", {"note": "str", "creator": REF, "created_time": "msstr"})
assert note["note"] == "Wants a map" and service.get(one)["data"]["notes"]
service.change("PUT", one, {"customer_info": {"plan": "trial"}})

# Tags: what is not to be had is told, though the call succeeds.
tags = {}
for name in ("hikers", "old"):
    made = envelope(service.change("POST", "~/tags", {"name": name, "color": "#14532d", "module": "conversations"}), "tags_config", TAG)
    tags[name] = made["id"]
service.refused(1014, "POST", "~/tags", {"name": "hikers", "color": "#14532d", "module": "conversations"})
assert service.refused(1011, "POST", "~/tags", {"name": "gray", "module": "conversations"})["json_key"] == "color"
gone = envelope(service.change("POST", f"~/tags/{tags['old']}/archives"), "tags_config", TAG)
assert gone["archived"] and gone["status"] == "achived", "so spelled"
listing = envelope(service.get("~/tags", module="conversations"), "tags_list", [TAG])
assert set(tags.values()) <= {t["id"] for t in listing} and {t["module"] for t in listing} == {"conversations"}
outcome = envelope(service.change("PUT", one + "/tags", {"ids": [tags["hikers"], tags["old"], "77"]}), "tag_ids_list", {
    "failed_tag_ids": ["id"], "associated_tags": [TAG],
})
seen["failed tags"] = len(outcome["failed_tag_ids"])
assert set(outcome["failed_tag_ids"]) == {tags["old"], "77"}
assert tags["hikers"] in [t["id"] for t in service.get(one)["data"]["tags"]]
kept = envelope(service.change("DELETE", one + "/tags", id=tags["hikers"]), "tags_ids_list", [TAG])
assert tags["hikers"] not in [t["id"] for t in kept]
service.change("DELETE", f"~/tags/{tags['hikers']}")
service.refused(1019, "GET", f"~/tags/{tags['hikers']}")

# A colleague takes over, and the conversation ends.
colleague = next(o for o in service.get("~/operators")["data"] if o["id"] != me and o["departments"] and o["status_message"] == "Available")
service.change("PUT", one + "/transfer", {"department_id": colleague["departments"][0], "operator_id": colleague["id"], "notes": "Yours"})
service.refused(1025, "PUT", one + "/transfer", {"department_id": "77"})
closed = envelope(service.change("PUT", one + "/close"), "conversations", CONVERSATION)
check(closed["end_time"], "numstr")
seen["ended as"] = closed["status"]
service.refused(1011, "POST", one + "/messages", {"text": "One more thing"})
service.refused(1019, "GET", "~/conversations/77")
status, text = service.raw("POST", "~/tags", b"name=hikers", "application/x-www-form-urlencoded")
assert json.loads(text)["error"]["code"] == 1054 and json.loads(text)["error"]["header"] == "Content-Type"

print(json.dumps(seen, sort_keys=True))
