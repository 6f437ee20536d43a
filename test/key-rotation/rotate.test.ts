import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { openRecord } from "../../src/settings/store.ts";
import { newAdministrator } from "../support/administrator.ts";
import { countingKv } from "../support/counting-kv.ts";
import { families } from "../support/families.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { LONG_AGO, passwordOf, storeRecords, tenantNames } from "../support/records.ts";
import { saved } from "../support/responses.ts";
import { newRotation, storedAs } from "../support/rotation.ts";
import { sampleSettings } from "../support/samples.ts";

beforeEach(reset);

const NOTHING_LEFT = { resealed: 0, failures: [], left: 0, cursorSaved: true, removable: ["old"] };

describe("a new first key", () => {
  it("seals every save before any rotation", async () => {
    const ada = await newAdministrator(families[0].address);
    await ada.save(sampleSettings);
    const { jwks, keys } = await newRotation();
    const { keys: old } = JSON.parse(env.SETTINGS_KEYS) as { keys: object[] };
    const SETTINGS_KEYS = JSON.stringify({ keys: [...jwks, ...old] });
    expect((await storedAs(ada.tenant)).metadata).toMatchObject({ kid: "test-1" });
    expect(await ada.save(sampleSettings, { env: { SETTINGS_KEYS } })).toEqual(saved);
    const { value, metadata } = await storedAs(ada.tenant);
    expect(metadata).toMatchObject({ kid: "new" });
    const { settings } = await openRecord(ada.tenant, value ?? "", keys);
    expect(settings.password).toBe(sampleSettings.password);
  });
});

describe("a rotation", () => {
  it("reseals with the first key, and changes nothing else", async () => {
    const { oldKeys, newKeys, keys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const before = await openRecord("acme", (await storedAs("acme")).value ?? "", keys);
    expect(await run()).toEqual({
      ...NOTHING_LEFT,
      examined: 1,
      resealed: 1,
      operations: 4,
    });
    const { value, metadata } = await storedAs("acme");
    expect(metadata).toEqual({ kid: "new", updatedAt: LONG_AGO });
    expect(await openRecord("acme", value ?? "", newKeys)).toEqual(before);
    expect(before.settings.password).toBe(passwordOf("acme"));
  });

  it("reads only records whose metadata names an older key", async () => {
    const { oldKeys, newKeys, run } = await newRotation();
    await storeRecords(tenantNames(30, "done"), newKeys);
    await storeRecords(tenantNames(3, "todo"), oldKeys);
    const unchanged = await storedAs("done00000");
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await run({ kv })).toMatchObject({ examined: 33, resealed: 3, left: 0 });
    expect(operations.filter((operation) => operation === "get smtp")).toHaveLength(3);
    expect(operations.filter((operation) => operation === "put smtp")).toHaveLength(3);
    expect(await storedAs("done00000")).toEqual(unchanged);
  });

  it("reads and writes no record once the first key seals all", async () => {
    const { newKeys, run } = await newRotation();
    await storeRecords(tenantNames(5), newKeys);
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await run({ kv })).toEqual({
      ...NOTHING_LEFT,
      examined: 5,
      operations: 2,
    });
    expect(operations).toEqual(["list smtp", "list outbox", "get rotation"]);
  });

  it("finds nothing to do if nothing is stored", async () => {
    const { run } = await newRotation();
    expect(await run()).toEqual({ ...NOTHING_LEFT, examined: 0, operations: 2 });
  });

  it("ignores keys that are not records", async () => {
    const { run } = await newRotation();
    await env.SMTP_SETTINGS.put("history:acme:1:x", "", { metadata: { kid: "old" } });
    await env.SMTP_SETTINGS.put("health", "fine");
    expect(await run()).toMatchObject({ examined: 0, resealed: 0 });
    expect(await env.SMTP_SETTINGS.get("health")).toBe("fine");
  });

  it("reseals a record without metadata, and adds it", async () => {
    const { oldKeys, newKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    await env.SMTP_SETTINGS.put("smtp:acme", (await storedAs("acme")).value ?? "");
    expect((await storedAs("acme")).metadata).toBeNull();
    expect(await run()).toMatchObject({ examined: 1, resealed: 1, left: 0, removable: ["old"] });
    const { value, metadata } = await storedAs("acme");
    expect(metadata).toEqual({ kid: "new", updatedAt: LONG_AGO });
    expect((await openRecord("acme", value ?? "", newKeys)).settings.password).toBe(passwordOf("acme"));
  });

  it("reads records with KV's shortest cache time", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const options: unknown[] = [];
    const kv = interceptedKv(env.SMTP_SETTINGS, (operation, key, parameters) => {
      if (operation === "get" && key === "smtp:acme") options.push(parameters[1]);
    });
    expect(await run({ kv })).toMatchObject({ resealed: 1 });
    expect(options).toEqual([{ cacheTtl: 30 }]);
  });
});

describe("a rotation of more records than one run may reseal", () => {
  // Room for 5 records: two operations each, two lists, and two for the cursor.
  const maxOperations = 14;

  it("continues after the last tenant of the previous run", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(tenantNames(12), oldKeys);
    const runs = [];
    for (let count = 0; count < 3; count++) {
      const { kv, operations } = countingKv(env.SMTP_SETTINGS);
      const { resealed, left } = await run({ kv, maxOperations });
      runs.push({ resealed, left, operations: operations.length });
    }
    expect(runs).toEqual([
      { resealed: 5, left: 7, operations: 14 },
      { resealed: 5, left: 2, operations: 14 },
      { resealed: 2, left: 0, operations: 8 },
    ]);
  });

  it("reports a key as removable only once no record needs it", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(tenantNames(6), oldKeys);
    expect(await run({ maxOperations })).toMatchObject({ left: 1, removable: [] });
    expect(await run({ maxOperations })).toMatchObject({ left: 0, removable: ["old"] });
  });
});
