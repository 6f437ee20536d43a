import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { type Call, call } from "../support/client.ts";
import { document, expectDocumented, operations } from "../support/documented.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { sampleSettings } from "../support/samples.ts";
import { mailServer } from "../support/smtp/servers.ts";

const local = { ALLOW_PRIVATE_HOSTS: "true" };

const kvDown = { SMTP_SETTINGS: new Proxy(env.SMTP_SETTINGS, { get: () => () => Promise.reject("down") }) };

/** What goes wrong in the same way for every operation of a tenant. */
const everywhere: [number, Call, ((url: string) => string)?][] = [
  [401, { headers: { Authorization: "" } }],
  [403, {}, (url) => url.replace("https:", "http:")],
  [404, {}, (url) => url.replace("example.com", "example.org")],
  [405, { method: "PATCH" }],
  [503, { env: { SETTINGS_KEYS: "" } }],
];

describe.each(families)("answers of the Worker are those of the document, $family", ({ family, address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const save = { body: sampleSettings };
  const remove = { method: "DELETE" };
  const urlOf = (place: "test" | "history") =>
    place === "test" ? ada.url.replace(/\w+$/, "test") : `${ada.url}/history`;

  /** Sends a request, and holds its answer against the document. */
  async function expectAnswer(status: number, operation: string, url: string, how: Call = {}) {
    const response = await call(url, { token: ada.token, ...how });
    expect(response.status).toBe(status);
    await expectDocumented(response, `${operation}_${family}`);
  }

  const operationsOfTenant = [
    ["saveSettings", save, () => ada.url],
    ["readSettings", {}, () => ada.url],
    ["deleteSettings", remove, () => ada.url],
    ["testSettings", { method: "POST" }, () => urlOf("test")],
    ["readHistory", {}, () => urlOf("history")],
  ] as const satisfies [string, Call, () => string][];

  describe.each(operationsOfTenant)("%s", (operation, how, url) => {
    it.each(everywhere)("%i", async (status, more, changed = (same) => same) => {
      await expectAnswer(status, operation, changed(url()), { ...how, ...more });
    });

    it("403 without an administrator's role", async () => {
      const token = await ada.realm.token({ resource_access: {} });
      await expectAnswer(403, operation, url(), { ...how, token });
    });
  });

  it.each([
    ["a field is missing", { body: {} }],
    ["a field is not valid", { body: { ...sampleSettings, port: "x" } }],
    ["fields are unknown", { body: { ...sampleSettings, a: 1, b: 2 } }],
    ["the body is not JSON", { body: "{" }],
    ["the host is private", { body: { ...sampleSettings, host: "10.0.0.1" } }],
  ])("saving, 400: %s", async (_, how) => {
    await expectAnswer(400, "saveSettings", ada.url, how);
  });

  it.each([
    [412, { ...save, headers: { "If-Match": '"another"' } }],
    [413, { body: " ".repeat(16 * 1024 + 1) }],
    [415, { body: "x", headers: { "Content-Type": "text/plain" } }],
    [503, { ...save, env: kvDown }],
    [200, save],
  ])("saving, %i", async (status, how) => {
    await expectAnswer(status, "saveSettings", ada.url, how);
  });

  it("saving, 502: the server does not take the password", async () => {
    const { port } = await mailServer();
    const body = localSettings(port, { password: "wrong" });
    await expectAnswer(502, "saveSettings", `${ada.url}?verify=true`, { body, env: local });
  });

  it("saving, 502: nothing listens", async () => {
    const body = localSettings(1);
    await expectAnswer(502, "saveSettings", `${ada.url}?verify=true`, { body, env: local });
  });

  it("reading, 200: all fields", async () => {
    await ada.save({ ...sampleSettings, envelopeFrom: "bounce@example.com", auth: true });
    await expectAnswer(200, "readSettings", ada.url);
  });

  it("reading, 200: the fields that cannot be missing", async () => {
    await ada.save({ host: "smtp.example.com", from: "sender@example.com" });
    await expectAnswer(200, "readSettings", ada.url);
  });

  it("reading, 404: nothing is stored", async () => {
    await expectAnswer(404, "readSettings", ada.url);
  });

  it("reading, 500: the record does not open", async () => {
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "not a record");
    await expectAnswer(500, "readSettings", ada.url);
  });

  it.each([
    [200, remove],
    [412, { ...remove, headers: { "If-Match": '"another"' } }],
    [503, { ...remove, env: kvDown }],
  ])("deleting, %i", async (status, how) => {
    await expectAnswer(status, "deleteSettings", ada.url, how);
  });

  it.each(["send", "probe"])("testing, 200: %s", async (mode) => {
    const { port } = await mailServer();
    const body = { mode, to: "ada@example.com", settings: localSettings(port) };
    await expectAnswer(200, "testSettings", urlOf("test"), { body, env: local });
  });

  it("testing, 502: the server does not take the recipient", async () => {
    const { port } = await mailServer({ refuse: { recipient: "550 5.1.1 No such user" } });
    const body = { to: "ada@example.com", settings: localSettings(port) };
    await expectAnswer(502, "testSettings", urlOf("test"), { body, env: local });
  });

  it.each([
    [400, { body: { mode: "x" } }],
    [404, { body: { mode: "probe" } }],
    [413, { body: " ".repeat(16 * 1024 + 1) }],
    [415, { body: "x", headers: { "Content-Type": "text/plain" } }],
  ])("testing, %i", async (status, how) => {
    await expectAnswer(status, "testSettings", urlOf("test"), how);
  });

  it("history, 200: saves and a deletion, on a page that is not the last one", async () => {
    await ada.save(sampleSettings);
    await ada.delete();
    await ada.save(sampleSettings);
    const page = await call(`${urlOf("history")}?limit=2`, { token: ada.token });
    expect(await page.clone().json()).toHaveProperty("cursor");
    await expectDocumented(page, `readHistory_${family}`);
  });

  it("history, 200: a refused test, on the last page", async () => {
    const body = { mode: "probe", settings: localSettings(1) };
    await call(urlOf("test"), { token: ada.token, env: local, body });
    const page = await call(urlOf("history"), { token: ada.token });
    expect(await page.clone().json()).toHaveProperty("entries.0.action", "test_refused");
    await expectDocumented(page, `readHistory_${family}`);
  });

  it("history, 400: the limit is not a number", async () => {
    await expectAnswer(400, "readHistory", `${urlOf("history")}?limit=all`);
  });
});

describe("answers of the Worker are those of the document, without a token", () => {
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

  it("the document itself is what it describes", async () => {
    const { info, ...rest } = await (await call(`${url}/openapi.json`)).json<typeof document>();
    expect({ ...rest.components, ...rest.servers }).toEqual({ ...document.components, ...document.servers });
    expect(info.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it.each(operations.map((placed) => ({ name: placed.operation.operationId, ...placed })))(
    "$name needs a token only if the document says so",
    async ({ method, path, operation }) => {
      const host = operation.tags.includes("SHIFT") ? "example.com" : "acme.example.com";
      const address = `https://${host}${path.replace("{tenantId}", "acme")}`;
      const { status } = await call(address, { method: method.toUpperCase() });
      expect(status).toBe(operation.security === undefined ? 401 : 200);
    },
  );
});
