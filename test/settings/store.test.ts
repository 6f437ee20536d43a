import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { newAdministrator, seen } from "../support/administrator.ts";
import { answer, deleted, nothingStored, saved } from "../support/answers.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { faultyKv, TOO_MANY_REQUESTS } from "../support/faulty-kv.ts";
import { newIssuer } from "../support/issuer.ts";
import { logged } from "../support/request-lines.ts";
import { sampleSettings } from "../support/samples.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

const MASK = "**********";
const STORE_DOWN = answer(
  503,
  "SERVICE_UNAVAILABLE",
  "The store cannot be reached. Try again in a few seconds.",
);
const WENT_WRONG = answer(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side.");
const OUTAGE = "KV GET failed: 500 Internal Server Error";

const administrator = () => newAdministrator(families[0].address);

describe("KV that asks for patience (429)", () => {
  it("is tried again, and the save succeeds", async () => {
    const ada = await administrator();
    const { kv, calls } = faultyKv("put", TOO_MANY_REQUESTS, 1, "smtp:");
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(2);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
  });

  it.each<["put" | "delete", string]>([
    ["put", "POST"],
    ["delete", "DELETE"],
  ])(
    "for ever gives 503 with Retry-After after some seconds (%s), and nothing is lost",
    async (operation, method) => {
      const ada = await administrator();
      await ada.save(sampleSettings);
      const before = await ada.sealed();
      const { kv, calls } = faultyKv(operation, TOO_MANY_REQUESTS, Number.POSITIVE_INFINITY);
      const body = method === "POST" ? { body: sampleSettings } : {};
      const startedAt = Date.now();
      const { response, entry } = await logged(() =>
        ada.send({ method, ...body, env: { SMTP_SETTINGS: kv } }),
      );
      expect(Date.now() - startedAt).toBeLessThan(5_000);
      expect(calls()).toBe(4);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(await seen(response)).toEqual(STORE_DOWN);
      expect(entry).toMatchObject({ refusal: "store_unavailable", reason: TOO_MANY_REQUESTS });
      expect(await ada.sealed()).toBe(before);
    },
  );
});

describe("KV that fails in another way", () => {
  it.each<["get" | "put" | "delete", string]>([
    ["get", "GET"],
    ["put", "POST"],
    ["delete", "DELETE"],
  ])("gives 503 with Retry-After at once (%s), and nothing is lost", async (operation, method) => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    const { kv, calls } = faultyKv(operation, OUTAGE, Number.POSITIVE_INFINITY);
    const body = method === "POST" ? { body: sampleSettings } : {};
    const { response, entry } = await logged(() => ada.send({ method, ...body, env: { SMTP_SETTINGS: kv } }));
    expect(calls()).toBe(1);
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await seen(response)).toEqual(STORE_DOWN);
    expect(entry).toMatchObject({ status: 503, refusal: "store_unavailable", reason: OUTAGE });
    expect(await ada.sealed()).toBe(before);
  });

  it("while the stored password is needed gives 503, and writes nothing", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const before = await ada.sealed();
    const { kv } = faultyKv("get", OUTAGE, 1);
    const answered = await ada.save({ ...sampleSettings, password: MASK }, { env: { SMTP_SETTINGS: kv } });
    expect(answered).toEqual(STORE_DOWN);
    expect(await ada.sealed()).toBe(before);
  });

  it("does not hinder a save that brings its password, as that needs nothing of what is stored", async () => {
    const ada = await administrator();
    const { kv, calls } = faultyKv("get", OUTAGE, Number.POSITIVE_INFINITY);
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(1);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
  });
});

describe("a record that does not open", () => {
  it("moved here from another tenant is a 500, logged with tenant and kid, and left alone", async () => {
    const [ada, victim] = [await administrator(), await administrator()];
    await victim.save(sampleSettings);
    const stolen = (await victim.sealed()) ?? "";
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, stolen);
    const { response, line, entry } = await logged(() => ada.send());
    expect(await seen(response)).toEqual(WENT_WRONG);
    expect(entry).toMatchObject({ tenant: ada.tenant, refusal: "record_unreadable", kid: "test-1" });
    expect(line).not.toContain(sampleSettings.password);
    expect(await ada.sealed()).toBe(stolen);
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["plain JSON", JSON.stringify(sampleSettings)],
    ["text", "not a record"],
    ["half a record", "eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoidGVzdC0xIn0.AAAA"],
  ])("is a 500 and never taken for nothing stored: %s", async (_, value) => {
    const ada = await administrator();
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, value);
    const { response, entry } = await logged(() => ada.send());
    expect(await seen(response)).toEqual(WENT_WRONG);
    expect(entry).toMatchObject({ tenant: ada.tenant, refusal: "record_unreadable" });
    expect(await ada.sealed()).toBe(value);
  });

  it("is a 500 once its key has gone, and opens again when the key is back", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const { text } = await newSettingsKeys("new");
    const { response, entry } = await logged(() => ada.send({ env: { SETTINGS_KEYS: text } }));
    expect(await seen(response)).toEqual(WENT_WRONG);
    expect(entry).toMatchObject({ refusal: "record_unreadable", kid: "test-1" });
    expect((await ada.read()).httpStatus).toBe(200);
  });

  it("is not overwritten by a save that needs its password", async () => {
    const ada = await administrator();
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "broken");
    expect(await ada.save({ ...sampleSettings, password: MASK })).toEqual(WENT_WRONG);
    expect(await ada.sealed()).toBe("broken");
  });

  it("can be replaced by a save that brings everything", async () => {
    const ada = await administrator();
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "broken");
    expect(await ada.save(sampleSettings)).toEqual(saved);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
  });

  it("can be deleted", async () => {
    const ada = await administrator();
    await env.SMTP_SETTINGS.put(`smtp:${ada.tenant}`, "broken");
    expect(await ada.delete()).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
    expect(await ada.read()).toEqual(nothingStored);
  });
});

describe("settings keys", () => {
  it("can be rotated: the second opens what it sealed, and the first seals from then on", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const { jwks } = await newSettingsKeys("new");
    const { keys: old } = JSON.parse(env.SETTINGS_KEYS) as { keys: object[] };
    const rotated = { env: { SETTINGS_KEYS: JSON.stringify({ keys: [...jwks, ...old] }) } };
    const kept = { ...sampleSettings, password: MASK };
    expect(await ada.save(kept, rotated)).toEqual(saved);
    const { metadata } = await env.SMTP_SETTINGS.getWithMetadata(`smtp:${ada.tenant}`);
    expect(metadata).toEqual({ kid: "new", updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) });
    expect(await seen(await ada.send(rotated))).toMatchObject({
      httpStatus: 200,
      body: { settings: { password: MASK } },
    });
  });
});

describe("what lies in KV", () => {
  it("is one value a tenant, under a key of its own, and shows nothing in the clear", async () => {
    const ada = await newAdministrator(families[1].address);
    await ada.save(sampleSettings);
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `smtp:${ada.tenant}` });
    expect(keys.map(({ name }) => name)).toEqual([`smtp:${ada.tenant}`]);
    const visible = `${JSON.stringify(keys)} ${await ada.sealed()}`;
    for (const secret of [sampleSettings.password, sampleSettings.host, sampleSettings.user]) {
      expect(visible).not.toContain(secret);
    }
  });

  it("does not expire", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `smtp:${ada.tenant}` });
    expect(keys[0]?.expiration).toBeUndefined();
  });

  it("is the same for both families", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const [ssms, shift] = [families[0].address(tenant), families[1].address(tenant)];
    await call(ssms, { token: await token(), body: sampleSettings });
    const read = await seen(await call(shift, { token: await token() }));
    expect(read).toMatchObject({ httpStatus: 200, body: { settings: { host: sampleSettings.host } } });
  });
});
