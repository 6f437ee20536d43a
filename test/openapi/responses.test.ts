import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { EXAMPLE_HOSTNAME } from "../../src/docs/routes.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type CallOptions, call } from "../support/client.ts";
import { document, expectDocumented, operations } from "../support/documented.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { sampleSettings } from "../support/samples.ts";
import { mailServer } from "../support/smtp/servers.ts";

const local = { ALLOW_PRIVATE_HOSTS: "true" };

const kvDown = { SMTP_SETTINGS: new Proxy(env.SMTP_SETTINGS, { get: () => () => Promise.reject("down") }) };

/** Errors that every operation of a tenant shares. */
const everywhere: [number, CallOptions, ((url: string) => string)?][] = [
  [401, { headers: { Authorization: "" } }],
  [403, {}, (url) => url.replace("https:", "http:")],
  [404, {}, (url) => url.replace("example.com", "example.org")],
  [405, { method: "PATCH" }],
  [503, { env: { SETTINGS_KEYS: "" } }],
];

describe.each(families)("responses of the Worker are documented, $family", ({ family, address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const save = { body: sampleSettings };
  const remove = { method: "DELETE" };
  const urlOf = (place: "test" | "history" | "messages") =>
    place === "history" ? `${ada.url}/history` : ada.url.replace(/\w+$/, place);

  /** Sends a request, and asserts that its response is documented. */
  async function expectResponse(status: number, operation: string, url: string, how: CallOptions = {}) {
    const response = await call(url, { token: ada.token, ...how });
    expect(response.status).toBe(status);
    await expectDocumented(response, `${operation}_${family}`);
  }

  const operationsOfTenant: [string, CallOptions, () => string][] = [
    ["saveSettings", save, () => ada.url],
    ["readSettings", {}, () => ada.url],
    ["deleteSettings", remove, () => ada.url],
    ["testSettings", { method: "POST" }, () => urlOf("test")],
    ["readHistory", {}, () => urlOf("history")],
    ["sendMail", { body: {} }, () => urlOf("messages")],
    ["listMails", {}, () => urlOf("messages")],
    ["readMail", {}, () => `${urlOf("messages")}/1`],
    ["deleteMail", remove, () => `${urlOf("messages")}/1`],
    ["retryMail", { method: "POST" }, () => `${urlOf("messages")}/1/retry`],
  ];

  describe.each(operationsOfTenant)("%s", (operation, how, url) => {
    it.each(everywhere)("%i", async (status, more, changed = (same) => same) => {
      await expectResponse(status, operation, changed(url()), { ...how, ...more });
    });

    it("403 without the role", async () => {
      const token = await ada.realm.token({ resource_access: {} });
      await expectResponse(403, operation, url(), { ...how, token });
    });
  });

  it.each([
    ["a field is missing", { body: {} }],
    ["a field is not valid", { body: { ...sampleSettings, port: "x" } }],
    ["fields are unknown", { body: { ...sampleSettings, a: 1, b: 2 } }],
    ["the body is not JSON", { body: "{" }],
    ["the host is private", { body: { ...sampleSettings, host: "10.0.0.1" } }],
  ])("saving, 400: %s", async (_, how) => {
    await expectResponse(400, "saveSettings", ada.url, how);
  });

  it.each([
    [412, { ...save, headers: { "If-Match": '"another"' } }],
    [413, { body: " ".repeat(16 * 1024 + 1) }],
    [415, { body: "x", headers: { "Content-Type": "text/plain" } }],
    [415, { ...save, headers: { "Content-Encoding": "gzip" } }],
    [503, { ...save, env: kvDown }],
    [200, save],
  ])("saving, %i", async (status, how) => {
    await expectResponse(status, "saveSettings", ada.url, how);
  });

  it("saving, 502: the server rejects the password", async () => {
    const { port } = await mailServer();
    const body = localSettings(port, { password: "wrong" });
    await expectResponse(502, "saveSettings", `${ada.url}?verify=true`, { body, env: local });
  });

  it("saving, 502: nothing listens", async () => {
    const body = localSettings(1);
    await expectResponse(502, "saveSettings", `${ada.url}?verify=true`, { body, env: local });
  });

  it("reading, 200: all fields", async () => {
    await ada.save({ ...sampleSettings, envelopeFrom: "bounce@example.com", auth: true });
    await expectResponse(200, "readSettings", ada.url);
  });

  it("reading, 200: mandatory fields only", async () => {
    await ada.save({ host: "smtp.example.com", from: "sender@example.com" });
    await expectResponse(200, "readSettings", ada.url);
  });

  it.each([
    [304, "If-None-Match"],
    [412, "If-Match"],
  ])("reading, %i: %s", async (status, name) => {
    await ada.save(sampleSettings);
    const value = name === "If-Match" ? '"another"' : "*";
    await expectResponse(status, "readSettings", ada.url, { headers: { [name]: value } });
  });

  it.each<[string, CallOptions]>([
    ["saveSettings", save],
    ["deleteSettings", remove],
  ])("%s, 412: If-None-Match", async (operation, how) => {
    await ada.save(sampleSettings);
    await expectResponse(412, operation, ada.url, { ...how, headers: { "If-None-Match": "*" } });
  });

  it.each<[string, CallOptions]>([
    ["saveSettings", save],
    ["deleteSettings", remove],
  ])("%s, 503: the outbox that a precondition needs", async (operation, how) => {
    const recentSettings = () => Promise.reject({ retryable: true });
    const OUTBOX = { getByName: () => ({ recentSettings }) } as unknown as Env["OUTBOX"];
    const headers = { "If-None-Match": "*" };
    await expectResponse(503, operation, ada.url, { ...how, headers, env: { OUTBOX } });
  });

  it("reading, 404: nothing is stored", async () => {
    await expectResponse(404, "readSettings", ada.url);
  });

  it("reading, 500: the record cannot be decrypted", async () => {
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "not a record");
    await expectResponse(500, "readSettings", ada.url);
  });

  it.each([
    [200, remove],
    [412, { ...remove, headers: { "If-Match": '"another"' } }],
    [503, { ...remove, env: kvDown }],
  ])("deleting, %i", async (status, how) => {
    await expectResponse(status, "deleteSettings", ada.url, how);
  });

  it.each([{ mode: "send", to: "ada@example.com" }, { mode: "probe" }])(
    "testing, 200: $mode",
    async (how) => {
      const { port } = await mailServer();
      const body = { ...how, settings: localSettings(port) };
      await expectResponse(200, "testSettings", urlOf("test"), { body, env: local });
    },
  );

  it("testing, 502: the server rejects the recipient", async () => {
    const { port } = await mailServer({ reject: { recipient: "550 5.1.1 No such user" } });
    const body = { to: "ada@example.com", settings: localSettings(port) };
    await expectResponse(502, "testSettings", urlOf("test"), { body, env: local });
  });

  const limiter = (limit: RateLimit["limit"]) => ({ env: { TEST_RATE_LIMITER: { limit } } });

  it.each([
    [429, limiter(async () => ({ success: false }))],
    [503, limiter(() => Promise.reject(new Error("down")))],
  ])("testing, %i: the rate limiter", async (status, how) => {
    const body = { mode: "probe", settings: { host: "smtp.example.com", from: "sender@example.com" } };
    await expectResponse(status, "testSettings", urlOf("test"), { body, ...how });
  });

  it.each([
    [400, { body: { mode: "x" } }],
    [404, { body: { mode: "probe" } }],
    [413, { body: " ".repeat(16 * 1024 + 1) }],
    [415, { body: "x", headers: { "Content-Type": "text/plain" } }],
  ])("testing, %i", async (status, how) => {
    await expectResponse(status, "testSettings", urlOf("test"), how);
  });

  it("history, 200: saves and a deletion, with a cursor", async () => {
    await ada.save(sampleSettings);
    await ada.delete();
    await ada.save(sampleSettings);
    const page = await call(`${urlOf("history")}?limit=2`, { token: ada.token });
    expect(await page.clone().json()).toHaveProperty("cursor");
    await expectDocumented(page, `readHistory_${family}`);
  });

  it("history, 200: a failed test, on the last page", async () => {
    const body = { mode: "probe", settings: localSettings(1) };
    await call(urlOf("test"), { token: ada.token, env: local, body });
    const page = await call(urlOf("history"), { token: ada.token });
    expect(await page.clone().json()).toHaveProperty("entries.0.action", "test_refused");
    await expectDocumented(page, `readHistory_${family}`);
  });

  it("history, 400: the limit is not a number", async () => {
    await expectResponse(400, "readHistory", `${urlOf("history")}?limit=all`);
  });
});

describe("responses of the Worker are documented, without a token", () => {
  const url = "https://example.com/digitanium/v4/mail";

  it.each([
    [200, {}],
    [405, { method: "POST" }],
    [503, { env: kvDown }],
    [503, { env: { SETTINGS_KEYS: "" } }],
  ])("health, %i (%#)", async (status, how) => {
    const response = await call(`${url}/health`, how);
    expect(response.status).toBe(status);
    await expectDocumented(response, "readHealth");
  });

  it("openapi.json is the built document, with the Worker's own base host", async () => {
    const served = await (await call(`${url}/openapi.json`)).text();
    expect(served).toBe(JSON.stringify(document).replaceAll(EXAMPLE_HOSTNAME, "example.com"));
  });

  it.each(operations)(
    "$name requires a token if the document says so",
    async ({ method, path, operation }) => {
      const host = operation.tags.includes("SHIFT") ? "example.com" : "acme.example.com";
      const address = `https://${host}${path.replace("{tenantId}", "acme")}`;
      const { status } = await call(address, { method: method.toUpperCase() });
      expect(status).toBe(operation.security === undefined ? 401 : 200);
    },
  );
});
