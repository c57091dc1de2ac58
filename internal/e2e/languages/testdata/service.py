"""What the programs beside this one share: the emulator that the environment
names, and a way into it."""

import os

import requests

API = os.environ["SALESIQ_BASE_URL"] + "/api/v2"
EMULATOR = os.environ["SALESIQ_BASE_URL"] + "/_emulator"
ACCOUNTS = os.environ["SALESIQ_ACCOUNTS_URL"] + "/oauth/v2"
CRM = os.environ["SALESIQ_CRM_URL"] + "/crm/v8"


def exchange(grant):
    """Trade a grant for what the OAuth server gives for it."""
    client = {
        "client_id": os.environ["ZOHO_CLIENT_ID"],
        "client_secret": os.environ["ZOHO_CLIENT_SECRET"],
    }
    answer = requests.post(f"{ACCOUNTS}/token", data=client | grant)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refresh():
    return exchange({"grant_type": "refresh_token", "refresh_token": os.environ["ZOHO_REFRESH_TOKEN"]})


def headers_of(token):
    return {"Authorization": f"Zoho-oauthtoken {token}"}


def sign_in():
    """Return the headers that carry an access token."""
    return headers_of(refresh()["access_token"])
