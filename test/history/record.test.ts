import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type CallOptions, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { localSettings } from "../support/local-settings.ts";
import { sampleSettings } from "../support/samples.ts";
import { mailServer } from "../support/smtp/servers.ts";

const ALLOW_PRIVATE_HOSTS = { ALLOW_PRIVATE_HOSTS: "true" };

let ada: Administrator;

/** The newest entry, expected after a response. */
function entryOf(response: Response, action: string, members: object = {}) {
  return {
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    action,
    family: "SSMS",
    requestId: response.headers.get("X-Request-Id"),
    by: {
      sub: "7b7a3f0e-0000-4000-8000-000000000001",
      preferred_username: "ada",
      azp: "admin-cli",
    },
    ...members,
  };
}

async function entries() {
  return (await readHistory(ada)).entries;
}

// With bindings of its own, each request waits for its history entry.
function save(settings: unknown, options: CallOptions = {}): Promise<Response> {
  return ada.send({ body: settings, env: ALLOW_PRIVATE_HOSTS, ...options });
}

function test(body: unknown): Promise<Response> {
  const url = ada.url.replace(/(config|setup)$/, "test");
  return call(url, { token: ada.token, env: ALLOW_PRIVATE_HOSTS, body });
}

function saveVerified(body: unknown): Promise<Response> {
  return call(`${ada.url}?verify=true`, { token: ada.token, env: ALLOW_PRIVATE_HOSTS, body });
}

describe.each(families)("history, $family", ({ family, address }) => {
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  it("records who saved, when, and every field that was set", async () => {
    const startedAt = Date.now();
    const response = await save(sampleSettings);
    expect(response.status).toBe(200);
    const changed = [
      "from",
      "fromDisplayName",
      "host",
      "password",
      "port",
      "replyTo",
      "replyToDisplayName",
      "ssl",
      "starttls",
      "user",
    ];
    const recorded = await entries();
    expect(recorded).toEqual([entryOf(response, "saved", { family, changed })]);
    const at = Date.parse(String(recorded[0]?.at));
    expect(at).toBeGreaterThanOrEqual(startedAt);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  it("records a delete", async () => {
    const response = await ada.send({ method: "DELETE", env: {} });
    expect(response.status).toBe(200);
    expect(await entries()).toEqual([entryOf(response, "deleted", { family })]);
  });

  it("records a test, with host and port", async () => {
    const { port } = await mailServer();
    const response = await test({ mode: "probe", settings: localSettings(port) });
    expect(response.status).toBe(200);
    expect(await entries()).toEqual([
      entryOf(response, "tested", { family, test: { host: "localhost", port, settings: "sent" } }),
    ]);
  });
});

describe("history", () => {
  beforeEach(async () => {
    ada = await newAdministrator(families[0].address);
  });

  it.each<[string, object, string[]]>([
    ["the changed field", { from: "other@example.com" }, ["from"]],
    [
      "an added and a removed field",
      { envelopeFrom: "b@example.com", replyTo: "" },
      ["envelopeFrom", "replyTo"],
    ],
    ["a changed password by name", { password: "another" }, ["password"]],
    ["no kept password", { password: "**********", from: "c@example.com" }, ["from"]],
    ["nothing if nothing changed", {}, []],
  ])("records in a save %s", async (_, changes, changed) => {
    await save(sampleSettings);
    const response = await save({ ...sampleSettings, ...changes });
    expect(response.status).toBe(200);
    expect((await entries())[0]).toEqual(entryOf(response, "saved", { changed }));
  });

  it("records no fields if the previous settings were unreadable", async () => {
    const { kv } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 1, "smtp:");
    const response = await save(sampleSettings, { env: { SMTP_SETTINGS: kv } });
    expect(response.status).toBe(200);
    expect(await entries()).toEqual([entryOf(response, "saved")]);
  });

  it("records the recipient of a test that sent a mail", async () => {
    const { port } = await mailServer();
    const response = await test({ to: "grace@example.org", settings: localSettings(port) });
    expect(response.status).toBe(200);
    expect(await entries()).toEqual([
      entryOf(response, "tested", {
        test: { host: "localhost", port, to: "grace@example.org", settings: "sent" },
      }),
    ]);
  });

  it("records that a test used the stored settings", async () => {
    const { port } = await mailServer();
    await save(localSettings(port));
    const response = await test({ to: "grace@example.org" });
    expect(response.status).toBe(200);
    expect((await entries())[0]).toEqual(
      entryOf(response, "tested", {
        test: { host: "localhost", port, to: "grace@example.org", settings: "stored" },
      }),
    );
  });

  it("records a test that the SMTP server rejected, without user and password", async () => {
    const { port } = await mailServer();
    const guess = localSettings(port, { user: "guessed-user", password: "guessed-password" });
    const response = await test({ to: "grace@example.org", settings: guess });
    expect(response.status).toBe(502);
    expect(await entries()).toEqual([
      entryOf(response, "test_refused", {
        test: { host: "localhost", port, to: "grace@example.org", settings: "sent" },
      }),
    ]);
    const list = await env.SMTP_SETTINGS.list({ prefix: `history:${ada.tenant}:` });
    expect(JSON.stringify(list)).not.toContain("guessed");
  });

  it("records a test of a server that cannot be reached", async () => {
    const settings = { host: `${"a.".repeat(100)}smtp.invalid`, from: "a@example.com", port: 587 };
    const response = await test({ to: `grace@${"b.".repeat(100)}example.org`, settings });
    expect(response.status).toBe(502);
    expect(await entries()).toEqual([
      entryOf(response, "test_refused", {
        test: {
          host: expect.stringMatching(/^…[a.]+smtp\.invalid$/),
          port: 587,
          to: expect.stringMatching(/^…[b.]+example\.org$/),
          settings: "sent",
        },
      }),
    ]);
  });

  it("records a verified save that the SMTP server rejected as a test, because nothing was saved", async () => {
    const { port } = await mailServer();
    const response = await saveVerified(localSettings(port, { password: "wrong" }));
    expect(response.status).toBe(502);
    expect(await entries()).toEqual([
      entryOf(response, "test_refused", { test: { host: "localhost", port, settings: "sent" } }),
    ]);
    expect(await ada.sealed()).toBeNull();
  });

  it("records a verified save once", async () => {
    const { port } = await mailServer();
    const response = await saveVerified(localSettings(port));
    expect(response.status).toBe(200);
    const changed = expect.arrayContaining(["password"]);
    expect(await entries()).toEqual([entryOf(response, "saved", { changed })]);
  });

  it.each<[string, CallOptions, number]>([
    ["a read", {}, 404],
    ["an invalid body", { body: {} }, 400],
    ["a password that is not stored", { body: { ...sampleSettings, password: "**********" } }, 400],
    ["an invalid token", { body: sampleSettings, token: "x.y.z" }, 401],
    ["an old version", { method: "DELETE", headers: { "If-Match": '"old"' } }, 412],
  ])("records no request that changes nothing: %s", async (_, request, status) => {
    expect((await ada.send({ ...request, env: {} })).status).toBe(status);
    expect(await entries()).toEqual([]);
  });

  it("records no save that KV rejected", async () => {
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 1, "smtp:");
    expect((await save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).status).toBe(503);
    expect(await entries()).toEqual([]);
  });

  it("names the caller by the claims that the token has", async () => {
    const token = await ada.realm.token({ sub: undefined, preferred_username: undefined, azp: "ci" });
    expect((await save(sampleSettings, { token })).status).toBe(200);
    expect((await entries())[0]?.by).toEqual({ azp: "ci" });
  });

  it("never holds a value, secret or not", async () => {
    await save(sampleSettings);
    await save({ ...sampleSettings, password: "another-password", from: "other@example.com" });
    const list = await env.SMTP_SETTINGS.list({ prefix: `history:${ada.tenant}:` });
    const values = await Promise.all(list.keys.map(({ name }) => env.SMTP_SETTINGS.get(name)));
    expect(values).toEqual(["", ""]);
    const { password, host, user, from } = sampleSettings;
    for (const value of [password, host, user, from, "another-password", "other@example.com"]) {
      expect(JSON.stringify(list)).not.toContain(value);
    }
  });
});
