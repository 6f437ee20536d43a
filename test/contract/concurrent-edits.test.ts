import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator, seen } from "../support/administrator.ts";
import { answer, deleted, saved } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { cronTrigger } from "../support/rotation.ts";
import { sampleSettings } from "../support/samples.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

const otherSettings = { ...sampleSettings, from: "other@example.com" };

const outdated = answer(
  412,
  "PRECONDITION_FAILED",
  "The settings are not those that If-Match names: read them again.",
);

describe.each(families)("concurrent edits, $family", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const tagOf = (response: Response) => response.headers.get("ETag") ?? "";
  const read = async () => tagOf(await ada.send());
  const save = async (settings: object = sampleSettings) => tagOf(await ada.send({ body: settings }));
  const saveIf = async (ifMatch: string) =>
    seen(await ada.send({ body: otherSettings, headers: { "If-Match": ifMatch }, env: {} }));
  const deleteIf = async (ifMatch: string) =>
    seen(await ada.send({ method: "DELETE", headers: { "If-Match": ifMatch }, env: {} }));

  describe("the ETag", () => {
    it("of a save is a strong one, and that of the reads after it", async () => {
      const tag = await save();
      expect(tag).toMatch(/^"[\da-f-]{36}"$/);
      expect([await read(), await read()]).toEqual([tag, tag]);
    });

    it("is another one after each save, even of the same settings", async () => {
      const tags = [await save(), await save(), await save()];
      expect(new Set(tags).size).toBe(3);
    });

    it("stays when a rotation seals the settings anew", async () => {
      const tag = await save();
      const before = await ada.sealed();
      const { jwks } = await newSettingsKeys("new");
      const { keys: old } = JSON.parse(env.SETTINGS_KEYS) as { keys: object[] };
      const rotated = { SETTINGS_KEYS: JSON.stringify({ keys: [...jwks, ...old] }) };
      const { entries } = await cronTrigger(rotated, new Date(Date.now() + 60 * 60_000));
      expect(entries.at(-1)).toMatchObject({ message: "rotation", left: 0 });
      expect(await ada.sealed()).not.toBe(before);
      expect(tagOf(await ada.send({ env: rotated }))).toBe(tag);
      const conditional = { body: otherSettings, headers: { "If-Match": tag }, env: rotated };
      expect(await seen(await ada.send(conditional))).toEqual(saved);
    });

    it("is kept from being weakened on the way", async () => {
      for (const response of [await ada.send({ body: sampleSettings }), await ada.send()]) {
        expect(response.status).toBe(200);
        expect(response.headers.get("Cache-Control")).toBe("no-store, no-transform");
      }
    });

    it("is not in an answer that has no settings", async () => {
      const [nothing, refused] = [await ada.send(), await ada.send({ body: {} })];
      expect([nothing.status, refused.status]).toEqual([404, 400]);
      expect([nothing.headers.has("ETag"), refused.headers.has("ETag")]).toEqual([false, false]);
    });
  });

  describe("If-Match", () => {
    it("lets a save through that names what is stored", async () => {
      const tag = await save();
      expect(await saveIf(tag)).toEqual(saved);
      expect((await ada.opened()).settings.from).toBe("other@example.com");
    });

    it("lets a delete through that names what is stored", async () => {
      const tag = await save();
      expect(await deleteIf(tag)).toEqual(deleted);
      expect(await ada.sealed()).toBeNull();
    });

    it.each<[string, (own: string, old: string) => string]>([
      ["the version before", (_, old) => old],
      ["another version", () => '"made-up"'],
      ["the version without quotes", (own) => own.replaceAll('"', "")],
      ["the version as a weak tag", (own) => `W/${own}`],
      ["* in quotes", () => '"*"'],
      ["a list without it", (_, old) => `${old}, "x"`],
      ["nothing", () => ""],
    ])("refuses a save and a delete that name %s, and nothing changes", async (_, ifMatch) => {
      const old = await save();
      const own = await save();
      const before = await ada.sealed();
      expect(await saveIf(ifMatch(own, old))).toEqual(outdated);
      expect(await deleteIf(ifMatch(own, old))).toEqual(outdated);
      expect(await ada.sealed()).toBe(before);
      expect((await readHistory(ada)).entries.map(({ action }) => action)).not.toContain("deleted");
    });

    it.each<[string, (own: string) => string]>([
      ["*", () => "*"],
      ["a list with the version", (own) => `"x", ${own},W/"y"`],
      ["a list with it and no spaces", (own) => `"x",${own}`],
    ])("lets a save through that names %s", async (_, ifMatch) => {
      const own = await save();
      expect(await saveIf(ifMatch(own))).toEqual(saved);
      expect((await ada.opened()).settings.from).toBe("other@example.com");
    });

    it.each(["*", '"made-up"'])("refuses %s where nothing is stored", async (ifMatch) => {
      expect(await saveIf(ifMatch)).toEqual(outdated);
      expect(await deleteIf(ifMatch)).toEqual(outdated);
      expect(await ada.sealed()).toBeNull();
    });

    it("lets the first of two who read the same settings save, and not the second", async () => {
      await save();
      const [ada1, grace] = [await read(), await read()];
      expect(await saveIf(ada1)).toEqual(saved);
      const before = await ada.sealed();
      expect(await saveIf(grace)).toEqual(outdated);
      expect(await ada.sealed()).toBe(before);
    });

    it("is looked at only after the fields", async () => {
      const response = await ada.send({ body: { host: "" }, headers: { "If-Match": '"made-up"' } });
      expect(response.status).toBe(400);
      expect(await ada.sealed()).toBeNull();
    });

    it("that cannot be checked, as KV is down, is a 503, and nothing changes", async () => {
      const tag = await save();
      const before = await ada.sealed();
      for (const request of [{ body: otherSettings }, { method: "DELETE" }]) {
        const { kv } = faultyKv("get", "KV GET failed: 500 Internal Server Error", 1, "smtp:");
        const headers = { "If-Match": tag };
        const response = await ada.send({ ...request, headers, env: { SMTP_SETTINGS: kv } });
        expect(response.status).toBe(503);
      }
      expect(await ada.sealed()).toBe(before);
    });

    it("may be left out: then a save replaces whatever is stored", async () => {
      await save();
      expect(await ada.save(otherSettings)).toEqual(saved);
      expect((await ada.opened()).settings.from).toBe("other@example.com");
    });
  });
});
