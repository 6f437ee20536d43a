import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { deleted, type JsonResponse, jsonResponse, readJson, saved } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

const otherSettings = { ...sampleSettings, from: "other@example.com" };

const preconditionFailed = jsonResponse(
  412,
  "PRECONDITION_FAILED",
  "The stored settings are not the version that If-Match names. Read them again.",
);

describe.each(families)("concurrent edits ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const etagOf = (response: Response) => response.headers.get("ETag") ?? "";
  const read = async () => etagOf(await ada.send());
  const save = async (settings: object = sampleSettings) => etagOf(await ada.send({ body: settings }));

  async function saveIf(ifMatch: string): Promise<JsonResponse> {
    return ada.save(otherSettings, { headers: { "If-Match": ifMatch }, env: {} });
  }

  async function deleteIf(ifMatch: string): Promise<JsonResponse> {
    return readJson(await ada.send({ method: "DELETE", headers: { "If-Match": ifMatch }, env: {} }));
  }

  describe("ETag", () => {
    it("is strong, and the same in a save and the reads after it", async () => {
      const etag = await save();
      expect(etag).toMatch(/^"[\da-f-]{36}"$/);
      expect([await read(), await read()]).toEqual([etag, etag]);
    });

    it("changes with each save, even of the same settings", async () => {
      const etags = [await save(), await save(), await save()];
      expect(new Set(etags).size).toBe(3);
    });

    it("stays valid when a key rotation reseals the settings", async () => {
      const etag = await save();
      const before = await ada.sealed();
      const { jwks } = await newSettingsKeys("new");
      const { keys: old } = JSON.parse(env.SETTINGS_KEYS) as { keys: object[] };
      const rotated = { SETTINGS_KEYS: JSON.stringify({ keys: [...jwks, ...old] }) };
      await reseal(ada.tenant, rotated);
      expect(await ada.sealed()).not.toBe(before);
      expect(etagOf(await ada.send({ env: rotated }))).toBe(etag);
      const options = { headers: { "If-Match": etag }, env: rotated };
      expect(await ada.save(otherSettings, options)).toEqual(saved);
    });

    it("comes with no-transform, as compression would weaken it", async () => {
      for (const response of [await ada.send({ body: sampleSettings }), await ada.send()]) {
        expect(response.status).toBe(200);
        expect(response.headers.get("Cache-Control")).toBe("no-store, no-transform");
      }
    });

    it("is absent from responses without settings", async () => {
      const responses = [await ada.send(), await ada.send({ body: {} })];
      expect(responses.map(({ status }) => status)).toEqual([404, 400]);
      expect(responses.filter(({ headers }) => headers.has("ETag"))).toEqual([]);
    });
  });

  // test/http/etag.test.ts holds the table of header values.
  describe("If-Match", () => {
    it("allows a save of the stored version", async () => {
      expect(await saveIf(await save())).toEqual(saved);
      expect((await ada.opened()).settings.from).toBe("other@example.com");
    });

    it("allows a delete of the stored version", async () => {
      expect(await deleteIf(await save())).toEqual(deleted);
      expect(await ada.sealed()).toBeNull();
    });

    it("rejects a save and a delete of the previous version, and changes nothing", async () => {
      const previous = await save();
      await save();
      const before = await ada.sealed();
      expect(await saveIf(previous)).toEqual(preconditionFailed);
      expect(await deleteIf(previous)).toEqual(preconditionFailed);
      expect(await ada.sealed()).toBe(before);
      const actions = (await readHistory(ada)).entries.map(({ action }) => action);
      expect(actions).toEqual(["saved", "saved"]);
    });

    it("treats an empty value as no match", async () => {
      await save();
      const before = await ada.sealed();
      expect(await saveIf("")).toEqual(preconditionFailed);
      expect(await deleteIf("")).toEqual(preconditionFailed);
      expect(await ada.sealed()).toBe(before);
    });

    it("rejects * if nothing is stored", async () => {
      expect(await saveIf("*")).toEqual(preconditionFailed);
      expect(await deleteIf("*")).toEqual(preconditionFailed);
      expect(await ada.sealed()).toBeNull();
    });

    it("allows the first of two administrators who read the same version, and rejects the second", async () => {
      await save();
      const [first, second] = [await read(), await read()];
      expect(await saveIf(first)).toEqual(saved);
      const before = await ada.sealed();
      expect(await saveIf(second)).toEqual(preconditionFailed);
      expect(await ada.sealed()).toBe(before);
    });

    it("is evaluated after the fields", async () => {
      const response = await ada.send({ body: { host: "" }, headers: { "If-Match": '"made-up"' } });
      expect(response.status).toBe(400);
      expect(await ada.sealed()).toBeNull();
    });

    it.each([{ body: otherSettings }, { method: "DELETE" }])(
      "causes 503 and changes nothing if KV is down: %j",
      async (request) => {
        const etag = await save();
        const before = await ada.sealed();
        const { kv } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 1, "smtp:");
        const options = { ...request, headers: { "If-Match": etag }, env: { SMTP_SETTINGS: kv } };
        expect((await ada.send(options)).status).toBe(503);
        expect(await ada.sealed()).toBe(before);
      },
    );

    it("rejects a read of another version", async () => {
      const previous = await save();
      const current = await save();
      expect((await ada.send({ headers: { "If-Match": current } })).status).toBe(200);
      const response = await ada.send({ headers: { "If-Match": previous } });
      expect(response.headers.get("ETag")).toBeNull();
      expect(await readJson(response)).toEqual(preconditionFailed);
    });

    it("is optional: without it, a save replaces any version", async () => {
      await save();
      expect(await ada.save(otherSettings)).toEqual(saved);
      expect((await ada.opened()).settings.from).toBe("other@example.com");
    });
  });
});

async function reseal(tenant: string, { SETTINGS_KEYS }: { SETTINGS_KEYS: string }): Promise<void> {
  const { settingsKeys } = await loadConfig({ ...env, SETTINGS_KEYS });
  const store = new SettingsStore(env.SMTP_SETTINGS, settingsKeys);
  expect(await store.reseal({ tenant, kid: undefined, updatedAt: undefined })).toBe(true);
}
