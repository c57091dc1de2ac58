"""Calls until the rate limit is spent, waits as its headers say, and calls again."""

import json
import time

import requests

from service import API, sign_in

auth = sign_in()
answered = refused = 0


def list_visitors():
    global answered
    answer = requests.get(f"{API}/visitors", headers=auth, params={"status": "online", "per_page": 1})
    answer.raise_for_status()
    assert answer.headers["X-RateLimit-Limit"] == "10"
    answered += 1


while answered < 200:
    try:
        list_visitors()
    except requests.exceptions.HTTPError as problem:
        answer = problem.response
        assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        refused += 1
        time.sleep(max(0, int(answer.headers["X-RateLimit-Reset"]) - time.time()))
        list_visitors()
        break
print(json.dumps({"answered": answered, "refused": refused}))
