import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import type { Behavior } from "../support/issuer-network.ts";
import { captureLog } from "../support/log.ts";
import { requestsTo, setBehavior } from "../support/network.ts";
import { recordOf } from "../support/records.ts";
import {
  deleted,
  invalidField,
  type JsonResponse,
  jsonResponse,
  nothingStored,
  readJson,
  saved,
} from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

const APPLY = { KEYCLOAK_ADMIN_URL: "https://{hostname}/auth/admin/realms/{tenant}" };

const APPLIED = {
  host: "smtp.gmail.com",
  port: "587",
  from: "sender@example.com",
  fromDisplayName: "From KC Test team",
  replyTo: "reply@example.com",
  replyToDisplayName: "Receiver",
  ssl: "false",
  starttls: "true",
  auth: "true",
  authType: "basic",
  user: "sender@example.com",
  password: "**********",
};

const OTHERS = {
  attributes: { plan: "gold", cibaExpiresIn: "300" },
  oauth2DeviceCodeLifespan: 777,
  oauth2DevicePollingInterval: 9,
};

const forbidden = jsonResponse(
  403,
  "FORBIDDEN",
  "Keycloak does not let this token change the realm's email settings. Nothing was changed.",
);

function badGateway(message: string): JsonResponse {
  return jsonResponse(502, "BAD_GATEWAY", message);
}

describe.each(families)("with KEYCLOAK_ADMIN_URL ($family)", ({ address }) => {
  let ada: Administrator;
  let realmUrl: string;

  beforeEach(async () => {
    ada = await newAdministrator(address);
    realmUrl = `https://example.com/auth/admin/realms/${ada.tenant}`;
    await realmResponds(json({ realm: ada.tenant, ...OTHERS, smtpServer: APPLIED }));
    await setBehavior(`PUT ${realmUrl}`, { kind: "respond", status: 204, body: "" });
  });

  const realmResponds = (behavior: Behavior) => setBehavior(`GET ${realmUrl}`, behavior);

  async function save(settings: object = sampleSettings, bindings: Partial<Env> = {}, query = "") {
    const options = { token: ada.token, body: settings, env: { ...APPLY, ...bindings } };
    return readJson(await call(ada.url + query, options));
  }

  async function methods(): Promise<string[]> {
    return (await requestsTo(realmUrl)).map(({ method }) => method);
  }

  it("a save applies the settings with the caller's token before it stores them", async () => {
    expect(await save()).toEqual(saved);
    const requests = await requestsTo(realmUrl);
    expect(requests.map(({ method }) => method)).toEqual(["GET", "PUT", "GET"]);
    expect(new Set(requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${ada.token}`]),
    );
    expect(JSON.parse(requests[1]?.body ?? "")).toEqual({
      ...OTHERS,
      smtpServer: { ...APPLIED, password: sampleSettings.password },
    });
    expect((await ada.opened()).settings).toMatchObject({ host: "smtp.gmail.com", password: "app-password" });
    expect((await readHistory(ada)).entries).toMatchObject([{ action: "saved" }]);
  });

  it("a save that keeps the stored password applies the password itself", async () => {
    await save();
    expect(await save({ ...sampleSettings, password: "**********" })).toEqual(saved);
    const updates = (await requestsTo(realmUrl)).filter(({ method }) => method === "PUT");
    const passwords = updates.map(({ body }) => JSON.parse(body).smtpServer.password);
    expect(passwords).toEqual(["app-password", "app-password"]);
  });

  it("a delete clears the settings in Keycloak, and then here", async () => {
    await ada.save(sampleSettings);
    await realmResponds(json({ ...OTHERS, smtpServer: {} }));
    expect(await readJson(await ada.send({ method: "DELETE", env: APPLY }))).toEqual(deleted);
    const update = (await requestsTo(realmUrl)).find(({ method }) => method === "PUT");
    expect(JSON.parse(update?.body ?? "")).toEqual({ ...OTHERS, smtpServer: {} });
    expect(await ada.read()).toEqual(nothingStored);
  });

  it("a delete that Keycloak rejects deletes nothing", async () => {
    await ada.save(sampleSettings);
    await realmResponds({ kind: "respond", status: 403, body: "" });
    expect(await readJson(await ada.send({ method: "DELETE", env: APPLY }))).toEqual(forbidden);
    expect((await ada.read()).httpStatus).toBe(200);
  });

  it.each<[string, Behavior, JsonResponse]>([
    ["forbids reading", { kind: "respond", status: 403, body: "" }, forbidden],
    ["withholds settings", json({ realm: "acme", organizationsEnabled: false }), forbidden],
    [
      "rejects the token",
      { kind: "respond", status: 401, body: "" },
      badGateway("Keycloak responded 401. Nothing was changed."),
    ],
    [
      "redirects",
      { kind: "respond", status: 302, body: "", headers: { Location: "https://evil.test/" } },
      badGateway("Keycloak responded 302. Nothing was changed."),
    ],
    [
      "fails",
      { kind: "respond", status: 503, body: "" },
      badGateway("Keycloak responded 503. Nothing was changed."),
    ],
  ])("a save sends no PUT, and stores nothing, if Keycloak %s", async (_, behavior, response) => {
    await realmResponds(behavior);
    expect(await save()).toEqual(response);
    expect(await methods()).toEqual(["GET"]);
    expect(await requestsTo("https://evil.test/")).toEqual([]);
    expect(await ada.sealed()).toBeNull();
    expect((await readHistory(ada)).entries).toEqual([]);
  });

  it.each<[number, JsonResponse]>([
    [403, forbidden],
    [400, badGateway("Keycloak responded 400. Nothing was changed.")],
    [307, badGateway("Keycloak responded 307. Nothing was changed.")],
    [
      500,
      badGateway(
        "Keycloak responded 500. Nothing was changed here, but Keycloak may already have the change. Try again.",
      ),
    ],
  ])("a save stores nothing if Keycloak responds %i to the update", async (status, response) => {
    const headers = { Location: "https://evil.test/" };
    await setBehavior(`PUT ${realmUrl}`, { kind: "respond", status, body: "", headers });
    expect(await save()).toEqual(response);
    expect(await requestsTo("https://evil.test/")).toEqual([]);
    expect(await ada.sealed()).toBeNull();
  });

  it("a save stores nothing if Keycloak has other settings afterwards", async () => {
    await realmResponds(json({ ...OTHERS, smtpServer: { ...APPLIED, host: "other" } }));
    expect(await save()).toEqual(
      badGateway(
        "Keycloak has stored other settings. Nothing was changed here, but Keycloak may already have the change. Try again.",
      ),
    );
    expect(await ada.sealed()).toBeNull();
  });

  it("a save says that Keycloak has the settings if storing them fails", async () => {
    const { kv } = faultyKv("put", "KV PUT failed: 500 Internal Server Error", 9, "smtp:");
    const response = await ada.send({ body: sampleSettings, env: { ...APPLY, SMTP_SETTINGS: kv } });
    expect(response.headers.get("Retry-After")).toBe("2");
    const message = "Keycloak has the change, but it could not be stored here. Try again in a few seconds.";
    expect(await readJson(response)).toEqual(jsonResponse(503, "SERVICE_UNAVAILABLE", message));
    expect(await methods()).toEqual(["GET", "PUT", "GET"]);
    expect(await ada.sealed()).toBeNull();
  });

  it.each<[string, object, JsonResponse]>([
    [
      "a reference to Keycloak's vault",
      { password: "$" + "{vault.smtp}" },
      invalidField("password", "must not refer to Keycloak's vault: send the value"),
    ],
    ["an invalid port", { port: "0" }, invalidField("port", "must be a whole number from 1 to 65535")],
  ])("a save does not contact Keycloak with %s", async (_, changes, response) => {
    expect(await save({ ...sampleSettings, ...changes })).toEqual(response);
    expect(await methods()).toEqual([]);
    expect(await ada.sealed()).toBeNull();
  });

  it("a save does not contact Keycloak if the kept password refers to its vault", async () => {
    const password = "$" + "{vault.smtp}";
    expect(await ada.save({ ...sampleSettings, password })).toEqual(saved);
    expect(await save({ ...sampleSettings, password: "**********" })).toEqual(
      invalidField("password", "must not refer to Keycloak's vault: send the value"),
    );
    expect(await methods()).toEqual([]);
  });

  it("a save does not contact Keycloak if the stored settings are unreadable", async () => {
    const { kv } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 9, "smtp:");
    expect((await save(sampleSettings, { SMTP_SETTINGS: kv })).httpStatus).toBe(503);
    expect(await methods()).toEqual([]);
  });

  it("a save does not contact Keycloak if the SMTP server rejects the settings", async () => {
    const unreachable = { ...sampleSettings, host: "127.0.0.1", port: 1 };
    const response = await save(unreachable, { ALLOW_PRIVATE_HOSTS: "true" }, "?verify=true");
    expect(response).toMatchObject({ httpStatus: 502, body: { stage: "connect" } });
    expect(await methods()).toEqual([]);
  });

  it("a save does not contact Keycloak if another save was faster", async () => {
    let reads = 0;
    const kv = interceptedKv(env.SMTP_SETTINGS, async (operation, key) => {
      if (operation !== "get" || !key.startsWith("smtp:") || ++reads !== 2) return;
      const { settingsKeys } = await loadConfig(env);
      await new SettingsStore(env.SMTP_SETTINGS, settingsKeys).write(ada.tenant, recordOf(ada.tenant));
    });
    expect(await save(sampleSettings, { SMTP_SETTINGS: kv })).toEqual(
      jsonResponse(
        412,
        "PRECONDITION_FAILED",
        "The stored settings changed during this request. Read them again.",
      ),
    );
    expect(await methods()).toEqual([]);
    expect((await ada.opened()).settings.host).toBe("smtp.example.net");
  });

  it("the log of a failed save has the reason, and neither the token nor the password", async () => {
    await setBehavior(`PUT ${realmUrl}`, { kind: "respond", status: 500, body: `${ada.token} app-password` });
    const { lines } = await captureLog(() => save());
    const log = lines.join("\n");
    expect(log).toContain('"error":"keycloak_failed","reason":"Keycloak responded 500"');
    expect(log).not.toContain(ada.token);
    expect(log).not.toContain("app-password");
  });

  it("reading and testing do not contact Keycloak", async () => {
    expect((await readJson(await ada.send({ env: APPLY }))).httpStatus).toBe(404);
    expect(await methods()).toEqual([]);
  });
});

describe("without KEYCLOAK_ADMIN_URL", () => {
  it("a save does not contact Keycloak", async () => {
    const ada = await newAdministrator(families[0].address);
    expect(await ada.save(sampleSettings)).toEqual(saved);
    expect(await requestsTo(`https://example.com/auth/admin/realms/${ada.tenant}`)).toEqual([]);
  });
});

function json(body: object): Behavior {
  return { kind: "respond", body: JSON.stringify(body) };
}
