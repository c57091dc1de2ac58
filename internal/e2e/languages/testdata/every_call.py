"""Makes each call of the specification with requests. languages_test.go knows what
is to arrive."""

import os
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import requests

from service import ACCOUNTS, API, CRM, EMULATOR, exchange, headers_of, refresh

# Dates without a zone, as isoformat writes them. The days around make up for
# the zone of this machine.
from_date = (datetime.now() - timedelta(days=60)).isoformat()
to_date = (datetime.now() + timedelta(days=2)).isoformat()
assert from_date[-6] not in "+-" and not from_date.endswith("Z")


def refused(answer, status, code):
    """Read an error as the samples do."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    assert body["status"] == "error"
    assert isinstance(body["message"], str) and isinstance(body["details"], dict)
    return body


# Signing in: with the refresh token, and as a user who agrees to less.
granted = refresh()
assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)
assert granted["api_domain"].startswith("http")
auth = headers_of(granted["access_token"])
as_json = auth | {"Content-Type": "application/json"}

redirect_uri = "https://shop.example/signed-in"
consent = requests.get(f"{ACCOUNTS}/auth", allow_redirects=False, params={
    "scope": "SalesIQ.chats.READ,SalesIQ.visitors.READ",
    "client_id": os.environ["ZOHO_CLIENT_ID"],
    "response_type": "code",
    "access_type": "offline",
    "redirect_uri": redirect_uri,
    "state": "ticket-7",
})
assert consent.status_code == 302
assert consent.headers["Location"].startswith(redirect_uri + "?")
back = parse_qs(urlsplit(consent.headers["Location"]).query)
assert back["state"] == ["ticket-7"]
code = {"grant_type": "authorization_code", "redirect_uri": redirect_uri, "code": back["code"][0]}
narrow = exchange(code)
assert narrow["refresh_token"]
assert exchange(code) == {"error": "invalid_code"}, "a code works once"

# Chats.
answer = requests.get(f"{API}/chats", headers=auth, params={"per_page": 50, "status": "active"})
body = answer.json()
assert (answer.status_code, body["status"], len(body["data"])) == (200, "success", 50)
assert all(chat["status"] == "active" for chat in body["data"])
assert body["pagination"]["total"] > 50
answer = requests.get(f"{API}/chats", headers=auth, params={
    "from_date": from_date, "to_date": to_date, "visitor_id": "visitor123", "page": 1})
assert "chat123" in [chat["id"] for chat in answer.json()["data"]]
answer = requests.get(f"{API}/chats", headers=auth, params={"to_date": from_date[:10], "per_page": 1})
assert answer.json()["data"] == []
answer = requests.get(f"{API}/chats", headers=auth, params={"per_page": 101})
assert refused(answer, 400, "INVALID_REQUEST")["details"]["field"] == "per_page"
assert int(answer.headers["X-RateLimit-Remaining"]) > 0

chat = requests.get(f"{API}/chats/chat123", headers=auth).json()["data"]
assert (chat["id"], chat["status"], chat["ended_at"], chat["rating"]) == ("chat123", "active", None, None)
assert isinstance(chat["visitor_info"], dict)
refused(requests.get(f"{API}/chats/chat0", headers=auth), 404, "RESOURCE_NOT_FOUND")
refused(requests.get(f"{API}/chats/chat123", headers=headers_of("made-up")), 401, "INVALID_TOKEN")

before = requests.get(f"{API}/chats/chat123/transcript", headers=auth).json()["data"]
answer = requests.post(f"{API}/chats/chat123/messages", headers=as_json, json={"message": "Grüße 🙂 <b>&", "type": "text"})
assert (answer.status_code, answer.json()["data"]["message"]) == (201, "Grüße 🙂 <b>&")
after = requests.get(f"{API}/chats/chat123/transcript", headers=auth).json()["data"]
assert len(after) == len(before) + 1 and after[-1] == answer.json()["data"]
answer = requests.post(f"{API}/chats/chat123/transfer", headers=as_json, json={"operator_id": "operator789", "message": "One moment"})
assert answer.json()["data"]["operator_id"] == "operator789"
refused(requests.post(f"{API}/chats/chat123/transfer", headers=as_json, json={"operator_id": "operator203"}), 400, "OPERATOR_OFFLINE")
answer = requests.post(f"{API}/chats/chat123/end", headers=as_json, json={})
assert answer.json()["data"]["status"] == "ended"
datetime.fromisoformat(answer.json()["data"]["ended_at"].replace("Z", "+00:00"))
refused(requests.post(f"{API}/chats/chat123/messages", headers=as_json, json={"message": "x", "type": "text"}), 400, "CHAT_NOT_ACTIVE")
answer = requests.post(f"{API}/chats/chat123/rating", headers=as_json, json={"rating": 4, "feedback": "Quick"})
assert (answer.json()["data"]["rating"], answer.json()["data"]["feedback"]) == (4, "Quick")

# Visitors.
assert requests.get(f"{API}/visitors", headers=auth, params={"per_page": 50, "status": "online"}).json()["data"]
answer = requests.patch(f"{API}/visitors/visitor123", headers=as_json, json={
    "name": "Zoë", "email": "zoe+1@mail.example", "custom_fields": {"floor": 3}})
assert answer.json()["data"]["custom_fields"]["floor"] == 3
answer = requests.get(f"{API}/visitors", headers=auth, params={"search": "zoe+1@mail", "from_date": from_date, "to_date": to_date})
assert [visitor["id"] for visitor in answer.json()["data"]] == ["visitor123"]
assert requests.get(f"{API}/visitors/visitor123", headers=auth).json()["data"]["name"] == "Zoë"
refused(requests.get(f"{API}/visitors/undefined", headers=auth), 400, "INVALID_VISITOR_ID")
activity = requests.get(f"{API}/visitors/visitor123/activity", headers=auth).json()["data"]
assert activity["sessions"][0]["pages"][0]["url"]
assert ("chat123", "ended") in [(chat["chat_id"], chat["status"]) for chat in activity["chats"]]
answer = requests.post(f"{API}/visitors/visitor123/tags", headers=as_json, json={"tags": ["night-owl"]})
assert "night-owl" in answer.json()["data"]["tags"]
answer = requests.post(f"{API}/visitors/visitor123/tags", headers=headers_of(narrow["access_token"]), json={"tags": ["x"]})
refused(answer, 403, "INVALID_OAUTH_SCOPE")

# Operators.
answer = requests.get(f"{API}/operators", headers=auth, params={"status": "online", "availability": "available"})
assert {(o["status"], o["availability"]) for o in answer.json()["data"]} == {("online", "available")}
assert requests.get(f"{API}/operators/operator123", headers=auth).json()["data"]["id"] == "operator123"
newcomer = {"name": "Ada", "email": "ada@mail.example", "role": "agent", "department_id": "dept789", "max_chats": 2, "languages": ["Svenska"]}
answer = requests.post(f"{API}/operators", headers=as_json, json=newcomer)
made = answer.json()["data"]
assert (answer.status_code, made["active_chats"], made["languages"]) == (201, 0, ["Svenska"])
refused(requests.post(f"{API}/operators", headers=as_json, json=newcomer), 400, "DUPLICATE_RESOURCE")
changed = requests.patch(f"{API}/operators/{made['id']}", headers=as_json, json={"status": "away", "max_chats": 3}).json()["data"]
assert (changed["status"], changed["max_chats"]) == ("away", 3)
stats = requests.get(f"{API}/operators/operator456/stats", headers=auth, params={"from_date": from_date, "to_date": to_date})
assert sorted(stats.json()["data"]["ratings_breakdown"]) == ["1", "2", "3", "4", "5"]
answer = requests.delete(f"{API}/operators/{made['id']}", headers=auth)
assert (answer.status_code, answer.content) == (204, b"")
refused(requests.get(f"{API}/operators/{made['id']}", headers=auth), 404, "RESOURCE_NOT_FOUND")

# Brands.
assert "brand123" in [brand["id"] for brand in requests.get(f"{API}/brands", headers=auth).json()["data"]]
settings = requests.get(f"{API}/brands/brand123", headers=auth).json()["data"]["widget_settings"]
answer = requests.patch(f"{API}/brands/brand123", headers=as_json, json={"widget_settings": {"theme_color": "#224466"}})
assert answer.json()["data"]["widget_settings"] == settings | {"theme_color": "#224466"}
departments = requests.get(f"{API}/brands/brand123/departments", headers=auth).json()["data"]
assert "dept789" in [department["id"] for department in departments]

# Devices and notifications.
answer = requests.post(f"{API}/devices", headers=as_json, json={"device_token": "phone-1", "platform": "android", "operator_id": "operator123"})
assert requests.delete(f"{API}/devices/{answer.json()['data']['id']}", headers=auth).status_code == 204
answer = requests.post(f"{API}/notifications", headers=as_json, json={
    "operator_id": "operator123", "title": "Hi", "message": "Look", "data": {"chat_id": "chat123"}})
assert answer.json()["data"]["data"] == {"chat_id": "chat123"}

# Routing rules.
answer = requests.post(f"{API}/routing/rules", headers=as_json, json={
    "name": "Big spenders", "priority": 4, "enabled": True,
    "conditions": [{"field": "visitor.lead_score", "operator": "greater_than", "value": 90}],
    "actions": {"assign_to": "operator", "operator_ids": ["operator456"]},
})
rule = answer.json()["data"]
assert rule["conditions"][0]["value"] == 90
answer = requests.patch(f"{API}/routing/rules/{rule['id']}", headers=as_json, json={"enabled": False})
assert answer.json()["data"]["enabled"] is False
assert rule["id"] in [other["id"] for other in requests.get(f"{API}/routing/rules", headers=auth).json()["data"]]
assert requests.delete(f"{API}/routing/rules/{rule['id']}", headers=auth).status_code == 204

# Webhooks.
answer = requests.post(f"{API}/webhooks", headers=as_json, json={
    "name": "Nightly", "url": "https://shop.example/hook", "events": ["chat.started", "chat.rating"],
    "enabled": True, "secret": "keep-it",
})
assert "keep-it" not in answer.text
webhook = answer.json()["data"]
answer = requests.patch(f"{API}/webhooks/{webhook['id']}", headers=as_json, json={"enabled": False})
assert answer.json()["data"]["enabled"] is False
assert webhook["id"] in [other["id"] for other in requests.get(f"{API}/webhooks", headers=auth).json()["data"]]
assert requests.delete(f"{API}/webhooks/{webhook['id']}", headers=auth).status_code == 204


# Leads of Zoho CRM: searched for, made, found.
def search():
    return requests.get(f"{CRM}/Leads/search", headers=auth, params={"criteria": "(Email:equals:zoe+1@mail.example)"})


assert search().status_code == 204
answer = requests.post(f"{CRM}/Leads", headers=as_json, json={"data": [{"Last_Name": "Zoë", "Email": "zoe+1@mail.example"}]})
assert answer.status_code == 201, answer.text
assert search().json()["data"][0]["Last_Name"] == "Zoë"

# Faults: an answer that says the service is down, and none although the work is
# done.
requests.post(f"{EMULATOR}/faults", json={"path": "/api/v2/brands", "status": 503, "times": 1})
refused(requests.get(f"{API}/brands", headers=auth), 503, "INTERNAL_ERROR")
requests.post(f"{EMULATOR}/faults", json={"path": "/api/v2/notifications", "effect": "reset", "processed": True, "times": 1})
try:
    requests.post(f"{API}/notifications", headers=as_json, json={"operator_id": "operator123", "title": "Hi", "message": "Once"})
    raise AssertionError("there was to be no response")
except requests.exceptions.ConnectionError as problem:
    assert problem.response is None

# A token that was revoked is followed by a new one.
requests.post(f"{EMULATOR}/tokens/revoke")
refused(requests.get(f"{API}/brands", headers=auth), 401, "INVALID_TOKEN")
assert requests.get(f"{API}/brands", headers=headers_of(refresh()["access_token"])).status_code == 200

print("made every call")
