"""An importer of articles and canned responses: it brings a help center over, mends
what it has brought, and leaves things as they were where the service refuses. It
prints what there is in the end."""

import json
import os

from live import Service, envelope, listed, sign_in

REF = {"id": "id", "name": "str"}
ARTICLE = {
    "id": "id", "title": "str", "content": "str", "published": "bool", "enabled": "bool", "category": REF, "department_id": "id",
    "creator": REF, "modifier": REF, "stats": {"viewed": "numstr", "used": "numstr", "liked": "numstr", "disliked": "numstr"},
    "created_time": "msstr", "modified_time": "msstr",
}
AUTHOR = {"id": "id", "name": "str", "type": "str", "image_url": "str"}
CANNED = {
    "id": "id", "content": "str", "public": "bool", "enabled": "bool", "associate_with_all_departments": "bool", "categories": [REF],
    "usage_count": "numstr", "last_used_time": "msstr", "creator": AUTHOR, "modifier": AUTHOR, "created_time": "msstr", "modified_time": "msstr",
}
CATEGORY = {"id": "id", "name": "str", "is_default": "boolstr", "order": "numstr"}
CANNED_CATEGORY = {
    "id": "id", "name": "str", "owner": "str", "owner_id": "id", "is_default": "boolstr", "created_time": "msstr", "modified_time": "msstr",
}

service = Service(sign_in(), os.environ["SALESIQ_PORTAL"])
departments = [d["id"] for d in service.get("~/departments")["data"]]
left = {}

# Categories: those there are, and those to come.
before = listed(service.get("~/articlecategories", index=0, limit=20), CATEGORY)
categories = {}
for name in ("Tents", "Boots"):
    made = envelope(service.change("POST", "~/articlecategories", {"name": name}), "articlecategory", CATEGORY)
    categories[name] = made["id"]
service.refused(1014, "POST", "~/articlecategories", {"name": "Tents"})
renamed = envelope(service.change("PUT", f"~/articlecategories/{categories['Boots']}", {"name": "Shoes"}), "articlecategory", CATEGORY)
assert renamed["name"] == "Shoes" and renamed["id"] == categories["Boots"]
left["categories"] = [c["name"] for c in listed(service.get("~/articlecategories"), CATEGORY)]
assert len(left["categories"]) == len(before) + 2

# Articles: 23 of them, one in three a draft.
ids = []
for i in range(23):
    body = {
        "title": f"How to pitch in wind, part {i + 1}", "content": f"<p>Grüße &amp; 🙂 {i}</p>", "department_id": departments[i % 2],
        "category_id": categories["Tents" if i < 15 else "Boots"], "published": "false" if i % 3 == 0 else "true",
    }
    made = envelope(service.change("POST", "~/articles", body), "articles", ARTICLE)
    assert made["content"] == body["content"] and made["published"] == (i % 3 != 0) and made["category"]["id"] == body["category_id"]
    ids.append(made["id"])
assert len(set(ids)) == 23
for name in ("title", "content", "department_id", "category_id"):
    assert service.refused(1011, "POST", "~/articles", {k: v for k, v in body.items() if k != name})["json_key"] == name
assert service.refused(1007, "POST", "~/articles", body | {"title": 7})["json_key"] == "title"
service.refused(1019, "POST", "~/articles", body | {"category_id": "77"})
service.refused(1025, "POST", "~/articles", body | {"department_id": "77"})
status, text = service.raw("POST", "~/articles", b'{"title":', "application/json")
assert json.loads(text)["error"]["code"] == 1015, text
status, text = service.raw("POST", "~/articles", json.dumps(body).encode(), "text/plain")
assert json.loads(text)["error"]["code"] == 1054, text


def pages(path, form, size, **query):
    """Iterate over all pages, by number. A page may have one item more than the
    limit, which comes again on the next page."""
    page = 1
    while True:
        found = listed(service.get(path, page=page, limit=size, **query), form)
        yield from found[:size]
        if len(found) < size:
            return
        page += 1


listing = list(pages("~/articles", ARTICLE, 7))
assert [a["id"] for a in listing] == ids and len(service.get("~/articles")["data"]) == 10, "limit is 10 unless it is given"
assert envelope(service.get(f"~/articles/{ids[4]}"), "articles", ARTICLE) == listing[4]
for query, holds in (
    ({"mode": "draft"}, lambda a: not a["published"]),
    ({"mode": "publish"}, lambda a: a["published"]),
    ({"category_id": categories["Boots"]}, lambda a: a["category"]["name"] == "Shoes"),
    ({"department_id": departments[1]}, lambda a: a["department_id"] == departments[1]),
    ({"mode": "draft", "category_id": categories["Tents"]}, lambda a: not a["published"] and a["category"]["name"] == "Tents"),
):
    assert [a["id"] for a in pages("~/articles", ARTICLE, 5, **query)] == [a["id"] for a in listing if holds(a)], query
for wrong in ({"mode": "secret"}, {"sort_by": "title"}, {"sort_by": "views", "order": "up"}, {"limit": 100}, {"author": "me"}):
    assert service.refused(1011, "GET", "~/articles", **wrong)["param"] == list(wrong)[-1]
assert [a["id"] for a in pages("~/articles", ARTICLE, 99, sort_by="views", order="descending")] == ids[::-1], "nobody has viewed any"

# What was read can be sent back, and what is left out stays.
one = f"~/articles/{ids[0]}"
read = service.get(one)["data"]
back = envelope(service.change("PUT", one, read), "articles", ARTICLE)
assert {k: v for k, v in back.items() if k != "modified_time"} == {k: v for k, v in read.items() if k != "modified_time"}
mended = service.change("PUT", one, {"published": "true", "enabled": False})["data"]
assert mended["published"] and not mended["enabled"] and mended["title"] == read["title"]
service.refused(1011, "PUT", one, {"id": "77"})
service.change("DELETE", one)
service.refused(1019, "GET", one)
service.refused(1019, "DELETE", one)
left["articles"] = len(list(pages("~/articles", ARTICLE, 99)))

# Canned responses: a page has one more than asked for, while there is more.
hello = envelope(service.change("POST", "~/cannedresponsecategories", {"name": "Hello"}), "cannedresponsecategories", CANNED_CATEGORY)
bye = service.change("POST", "~/cannedresponsecategories", {"name": "Bye"})["data"]
for i in range(7):
    where = {"associate_with_all_departments": "true"} if i % 2 else {"associate_with_all_departments": "false", "department_id": departments[0]}
    body = {"content": f"Welcome {i}", "public": "true", "category_ids": [hello["id"]]} | where
    made = envelope(service.change("POST", "~/cannedresponses", body), "cannedresponse", CANNED)
    assert made["public"] and made["categories"] == [{"id": hello["id"], "name": "Hello"}]
plain = service.change("POST", "~/cannedresponses", {"content": "Bye", "associate_with_all_departments": "true", "public": "false"})["data"]
assert len(plain["categories"]) == 1 and not plain["public"], "absent: the general one"
service.refused(1011, "POST", "~/cannedresponses", {"content": "Hi", "associate_with_all_departments": "false", "public": "true"})
assert [len(service.get("~/cannedresponses", limit=3, page=page)["data"]) for page in (1, 2, 3)] == [4, 4, 2]
responses = list(pages("~/cannedresponses", CANNED, 3))
assert len({r["id"] for r in responses}) == len(responses) == 8
assert len(list(pages("~/cannedresponses", CANNED, 3, department_id=departments[1]))) == 4
changed = envelope(service.change("PUT", f"~/cannedresponses/{responses[0]['id']}", {"enabled": False}), "cannedresponse", CANNED)
assert not changed["enabled"] and changed["content"] == responses[0]["content"]

# A category that goes names an heir.
assert service.refused(1011, "DELETE", f"~/cannedresponsecategories/{hello['id']}")["param"] == "configure_to"
service.change("DELETE", f"~/cannedresponsecategories/{hello['id']}", configure_to=bye["id"])
service.refused(1019, "GET", f"~/cannedresponsecategories/{hello['id']}")
left["responses"] = sum(c["name"] == "Bye" for r in pages("~/cannedresponses", CANNED, 99) for c in r["categories"])

# Links for a campaign carry addresses that are encrypted.
status, text = service.raw("POST", "/api/v2/encryptions", b'{"type":"siqidentifiers","values":["ada@mail.example"]}')
assert json.loads(text)["error"]["code"] == 1054, "the header is mandatory there"
encrypted = listed(service.change("POST", "/api/v2/encryptions", {"type": "siqidentifiers", "values": [" ada@mail.example ", "Ada"]}), {"encrypted_value": "str"})
assert len({e["encrypted_value"] for e in encrypted}) == 2
service.refused(1011, "POST", "/api/v2/encryptions", {"type": "siqidentifiers", "values": ["x"] * 21})

print(json.dumps(left, sort_keys=True))
