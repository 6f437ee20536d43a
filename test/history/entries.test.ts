import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type Call, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { localSettings } from "../support/local-settings.ts";
import { sampleSettings } from "../support/samples.ts";
import { mailServer } from "../support/smtp/servers.ts";

// With bindings of its own, a call waits for what goes on after the answer.
const local = { ALLOW_PRIVATE_HOSTS: "true" };

describe.each(families)("an entry of history, $family", ({ family, address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const save = (settings: unknown, changes: Call = {}) =>
    ada.send({ body: settings, env: local, ...changes });
  const test = (body: unknown) =>
    call(ada.url.replace(/(config|setup)$/, "test"), { token: ada.token, env: local, body });

  /** What the newest entry has to be. */
  function entryOf(response: Response, action: string, more: object = {}) {
    return {
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      action,
      family,
      requestId: response.headers.get("X-Request-Id"),
      by: {
        sub: "7b7a3f0e-0000-4000-8000-000000000001",
        preferred_username: "ada",
        azp: "admin-cli",
      },
      ...more,
    };
  }

  it("of a first save names who, when, and every field that was set", async () => {
    const startedAt = Date.now();
    const response = await save(sampleSettings);
    expect(response.status).toBe(200);
    const changed = [
      ...["from", "fromDisplayName", "host", "password", "port", "replyTo", "replyToDisplayName"],
      ...["ssl", "starttls", "user"],
    ];
    const { entries } = await readHistory(ada);
    expect(entries).toEqual([entryOf(response, "saved", { changed })]);
    const at = Date.parse(String(entries[0]?.at));
    expect(at).toBeGreaterThanOrEqual(startedAt);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  it.each<[string, object, string[]]>([
    ["a changed field", { from: "other@example.com" }, ["from"]],
    [
      "a field that was added and one that was removed",
      { envelopeFrom: "b@example.com", replyTo: "" },
      ["envelopeFrom", "replyTo"],
    ],
    ["a changed password, only that it changed", { password: "another" }, ["password"]],
    ["a password that was kept", { password: "**********", from: "c@example.com" }, ["from"]],
    ["nothing that was changed", {}, []],
  ])("of another save names %s", async (_, changes, changed) => {
    await save(sampleSettings);
    const response = await save({ ...sampleSettings, ...changes });
    expect(response.status).toBe(200);
    expect((await readHistory(ada)).entries[0]).toEqual(entryOf(response, "saved", { changed }));
  });

  it("of a save names no fields where what was stored before could not be read", async () => {
    const { kv } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 1, "smtp:");
    const response = await save(sampleSettings, { env: { SMTP_SETTINGS: kv } });
    expect(response.status).toBe(200);
    expect((await readHistory(ada)).entries).toEqual([entryOf(response, "saved")]);
  });

  it("is left by a delete", async () => {
    const response = await ada.send({ method: "DELETE", env: {} });
    expect(response.status).toBe(200);
    expect((await readHistory(ada)).entries).toEqual([entryOf(response, "deleted")]);
  });

  it.each([{ mode: "probe" }, { to: "ada@example.com" }])("is left by a test: %j", async (how) => {
    const { port } = await mailServer();
    const response = await test({ ...how, settings: localSettings(port) });
    expect(response.status).toBe(200);
    expect((await readHistory(ada)).entries).toEqual([entryOf(response, "tested")]);
  });

  it("is left by a test that the SMTP server refused", async () => {
    const { port } = await mailServer();
    const response = await test({ mode: "probe", settings: localSettings(port, { password: "wrong" }) });
    expect(response.status).toBe(502);
    expect((await readHistory(ada)).entries).toEqual([entryOf(response, "test_refused")]);
  });

  it("is left by a save whose settings did not pass their test, which says that nothing was saved", async () => {
    const { port } = await mailServer();
    const response = await call(`${ada.url}?verify=true`, {
      ...{ token: ada.token, env: local },
      body: localSettings(port, { password: "wrong" }),
    });
    expect(response.status).toBe(502);
    expect((await readHistory(ada)).entries).toEqual([entryOf(response, "test_refused")]);
    expect(await ada.sealed()).toBeNull();
  });

  it("is one for a save whose settings passed their test", async () => {
    const { port } = await mailServer();
    const response = await call(`${ada.url}?verify=true`, {
      ...{ token: ada.token, env: local },
      body: localSettings(port),
    });
    expect(response.status).toBe(200);
    const { entries } = await readHistory(ada);
    expect(entries).toEqual([entryOf(response, "saved", { changed: expect.arrayContaining(["password"]) })]);
  });

  it.each<[string, Call, number]>([
    ["a read", {}, 404],
    ["fields that are not valid", { body: {} }, 400],
    ["a password that may not be kept", { body: { ...sampleSettings, password: "**********" } }, 400],
    ["a token that is not valid", { body: sampleSettings, token: "x.y.z" }, 401],
    ["an old version", { method: "DELETE", headers: { "If-Match": '"old"' } }, 412],
  ])("is not left by a request that does nothing: %s", async (_, request, status) => {
    expect((await ada.send({ ...request, env: {} })).status).toBe(status);
    expect((await readHistory(ada)).entries).toEqual([]);
  });

  it("is not left by a save that KV did not take", async () => {
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 1, "smtp:");
    expect((await save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).status).toBe(503);
    expect((await readHistory(ada)).entries).toEqual([]);
  });

  it("names the caller by whatever claims the token has", async () => {
    const token = await ada.realm.token({ sub: undefined, preferred_username: undefined, azp: "ci" });
    expect((await save(sampleSettings, { token })).status).toBe(200);
    expect((await readHistory(ada)).entries[0]).toMatchObject({ by: { azp: "ci" } });
    expect((await readHistory(ada)).entries[0]?.by).toEqual({ azp: "ci" });
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
