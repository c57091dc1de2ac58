// What the programs beside this one share: the emulator that the environment
// names, and a way into it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

// An import would not look where NODE_PATH points.
export const require = createRequire(import.meta.url);
const axios = require("axios");

const { SALESIQ_BASE_URL, SALESIQ_ACCOUNTS_URL, SALESIQ_CRM_URL } = process.env;
const { ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN } = process.env;

export const api = `${SALESIQ_BASE_URL}/api/v2`;
export const emulator = `${SALESIQ_BASE_URL}/_emulator`;
export const accounts = `${SALESIQ_ACCOUNTS_URL}/oauth/v2`;
export const crm = `${SALESIQ_CRM_URL}/crm/v8`;

// exchange trades a grant for what the OAuth server gives for it.
export const exchange = async (grant) => {
  const client = { client_id: ZOHO_CLIENT_ID, client_secret: ZOHO_CLIENT_SECRET };
  const answer = await axios.post(`${accounts}/token`, new URLSearchParams({ ...client, ...grant }));
  assert.equal(answer.status, 200);
  return answer.data;
};

export const refresh = () => exchange({ grant_type: "refresh_token", refresh_token: ZOHO_REFRESH_TOKEN });

export const headersOf = (token) => ({ headers: { Authorization: `Zoho-oauthtoken ${token}` } });

// signIn returns the axios options that carry an access token.
export const signIn = async () => headersOf((await refresh()).access_token);
