"""What callers of the live service beside this one share. They are written after
what its vendor publishes, with nothing but the library of Python."""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

BASE = os.environ["SALESIQ_BASE_URL"]


def now():
    """Return the time in milliseconds, as the service counts it."""
    return int(time.time() * 1000)


def send(method, path, body=None, headers=None):
    """Make a request, and return the status and the answer."""
    request = urllib.request.Request(BASE + path, data=body, method=method, headers=headers or {})
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        return answer.status, answer.read()


def sign_in():
    """Trade the refresh token for an access token."""
    grant = {
        "grant_type": "refresh_token",
        "refresh_token": os.environ["ZOHO_REFRESH_TOKEN"],
        "client_id": os.environ["ZOHO_CLIENT_ID"],
        "client_secret": os.environ["ZOHO_CLIENT_SECRET"],
    }
    form = urllib.parse.urlencode(grant).encode()
    status, text = send("POST", "/oauth/v2/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 200, text
    return json.loads(text)["access_token"]


class Service:
    """The calls of one portal. Paths that begin with a tilde are below the portal's."""

    def __init__(self, token, portal=""):
        self.token, self.portal = token, portal

    def path(self, path, version="v2", **query):
        path = path.replace("~", f"/api/{version}/{self.portal}", 1)
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def raw(self, method, path, body=None, content_type=None, **headers):
        headers["Authorization"] = f"Zoho-oauthtoken {self.token}"
        if content_type:
            headers["Content-Type"] = content_type
        return send(method, self.path(path), body, headers)

    def call(self, method, path, body=None, **query):
        """Make a call, and return what the service answers: an envelope, or an error."""
        data = None if body is None else json.dumps(body).encode()
        status, text = self.raw(method, self.path(path, **query), data, body is not None and "application/json")
        return json.loads(text) if text else {"status": status}

    def get(self, path, **query):
        """Return the envelope of something that must be there."""
        answer = self.call("GET", path, **query)
        assert "error" not in answer, (path, query, answer)
        return answer

    def change(self, method, path, body=None, **query):
        """Return what a change answers, which must succeed."""
        answer = self.call(method, path, body, **query)
        assert "error" not in answer, (method, path, body, answer)
        return answer

    def refused(self, number, method, path, body=None, **query):
        """Check that a call is refused by one of the vendor's numbers, and return the error."""
        answer = self.call(method, path, body, **query)
        assert answer.get("error", {}).get("code") == number, (number, method, path, query, answer)
        return answer["error"]


def numeric(value):
    return isinstance(value, str) and value.lstrip("-").isdigit()


# The kinds of values, by the words of the description.
KINDS = {
    "str": lambda v: isinstance(v, str),
    "num": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "bool": lambda v: isinstance(v, bool),
    "boolstr": lambda v: v in ("true", "false") and isinstance(v, str),
    "numstr": numeric,
    "msstr": lambda v: numeric(v) and (len(v) == 13 or v == "-1") or v == "",
    "id": lambda v: isinstance(v, str) and v != "",
}


def check(value, form, where="data"):
    """Check a value by its form: the word of its kind, a list with the form of each
    item, or an object. A name that ends in a question mark may be absent."""
    if isinstance(form, str):
        assert KINDS[form](value), f"{where} is {value!r}, and no {form}"
    elif isinstance(form, list):
        assert isinstance(value, list), f"{where} is {value!r}, and no list"
        for i, item in enumerate(value):
            check(item, form[0], f"{where}[{i}]")
    else:
        assert isinstance(value, dict), f"{where} is {value!r}, and no object"
        for name, inner in form.items():
            if name.rstrip("?") in value or not name.endswith("?"):
                assert name.rstrip("?") in value, f"{where} has no {name}: {value}"
                check(value[name.rstrip("?")], inner, f"{where}.{name}")


def envelope(answer, called, form):
    """Check an answer that is called something, and return its data."""
    assert answer["object"] == called, answer["object"]
    check(answer["url"], "str", "url")
    check(answer["data"], form)
    return answer["data"]


def listed(answer, form):
    """Check an answer that is a list, and return its items."""
    check(answer["sync_time"], "msstr", "sync_time")
    return envelope(answer, "list", [form])
