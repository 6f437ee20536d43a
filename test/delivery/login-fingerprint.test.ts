import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { loginFingerprints } from "../../src/delivery/login-fingerprint.ts";
import type { Settings } from "../../src/settings/schema.ts";

const key = { kty: "oct", kid: "fixed", k: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" };

const minimal: Settings = {
  host: "smtp.example.com",
  port: 587,
  from: "a@example.com",
  starttls: false,
  ssl: false,
};

/** With another value in every field that decides about a login. */
const complete: Settings = {
  ...minimal,
  envelopeFrom: "c@example.com",
  starttls: true,
  auth: true,
  user: "ada",
  authType: "token",
  authTokenUrl: "https://login.example.com/token",
  authTokenScope: "smtp",
  authTokenClientId: "client-1",
  authTokenClientSecret: "s3cret",
  authTokenPrivateKey: "key",
  authTokenGrantType: "client_credentials",
  password: "pa55word",
};

// Outboxes store fingerprints: another form makes each of them forget what it knows of its settings.
it.each([
  ["minimal", minimal, "fixed xqmOyAlF2b1KFAnVWdOM2czIbdQyO5uZKxNQLQv5Xv8"],
  ["complete", complete, "fixed QwRmWEIKNDr_-M9vFyghMEZ9rioSv66n-BK1WOps14A"],
])("the fingerprint of %s settings keeps its stored form", async (_, settings, expected) => {
  const { settingsKeys } = await loadConfig({ ...env, SETTINGS_KEYS: JSON.stringify({ keys: [key] }) });
  expect(await loginFingerprints(settings, settingsKeys)).toEqual([expected]);
});
