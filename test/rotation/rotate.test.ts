import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { open } from "../../src/settings/vault.ts";
import { newAdministrator } from "../support/administrator.ts";
import { saved } from "../support/answers.ts";
import { countingKv } from "../support/counting-kv.ts";
import { families } from "../support/families.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { LONG_AGO, passwordOf, storeRecords, tenantNames } from "../support/records.ts";
import { newRotation, storedAs } from "../support/rotation.ts";
import { sampleSettings } from "../support/samples.ts";

afterEach(reset);

describe("a new first key", () => {
  it("seals from the next write on, before any rotation", async () => {
    const ada = await newAdministrator(families[0].address);
    await ada.save(sampleSettings);
    const { jwks, keys } = await newRotation();
    const { keys: old } = JSON.parse(env.SETTINGS_KEYS) as { keys: object[] };
    const SETTINGS_KEYS = JSON.stringify({ keys: [...jwks, ...old] });
    expect((await storedAs(ada.tenant)).metadata).toMatchObject({ kid: "test-1" });
    expect(await ada.save(sampleSettings, { env: { SETTINGS_KEYS } })).toEqual(saved);
    const { value, metadata } = await storedAs(ada.tenant);
    expect(metadata).toMatchObject({ kid: "new" });
    expect((await open(ada.tenant, value ?? "", keys)).settings.password).toBe(sampleSettings.password);
  });
});

describe("a rotation", () => {
  it("seals by the first key what an older one has sealed, and changes nothing else", async () => {
    const { oldKeys, newKeys, keys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const before = await open("acme", (await storedAs("acme")).value ?? "", keys);
    expect(await run()).toEqual({
      examined: 1,
      resealed: 1,
      failures: [],
      left: 0,
      progressNoted: true,
      removable: ["old"],
    });
    const { value, metadata } = await storedAs("acme");
    expect(metadata).toEqual({ kid: "new", updatedAt: LONG_AGO });
    expect(await open("acme", value ?? "", newKeys)).toEqual(before);
    expect(before.settings.password).toBe(passwordOf("acme"));
  });

  it("finds by the metadata what is to be done, and reads nothing else", async () => {
    const { oldKeys, newKeys, run } = await newRotation();
    await storeRecords(tenantNames(30, "done"), newKeys);
    await storeRecords(tenantNames(3, "todo"), oldKeys);
    const untouched = await storedAs("done00000");
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await run(kv)).toMatchObject({ examined: 33, resealed: 3, left: 0 });
    expect(operations.filter((operation) => operation === "get smtp")).toHaveLength(3);
    expect(operations.filter((operation) => operation === "put smtp")).toHaveLength(3);
    expect(await storedAs("done00000")).toEqual(untouched);
  });

  it("reads and writes no record where the first key has sealed all", async () => {
    const { newKeys, run } = await newRotation();
    await storeRecords(tenantNames(5), newKeys);
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await run(kv)).toEqual({
      examined: 5,
      resealed: 0,
      failures: [],
      left: 0,
      progressNoted: true,
      removable: ["old"],
    });
    expect(operations).toEqual(["list smtp", "get rotation"]);
  });

  it("has nothing to do where nothing is stored", async () => {
    const { run } = await newRotation();
    expect(await run()).toEqual({
      examined: 0,
      resealed: 0,
      failures: [],
      left: 0,
      progressNoted: true,
      removable: ["old"],
    });
  });

  it("takes no key of another kind for a record", async () => {
    const { run } = await newRotation();
    await env.SMTP_SETTINGS.put("history:acme:1:x", "", { metadata: { kid: "old" } });
    await env.SMTP_SETTINGS.put("health", "fine");
    expect(await run()).toMatchObject({ examined: 0, resealed: 0 });
    expect(await env.SMTP_SETTINGS.get("health")).toBe("fine");
  });

  it("seals a record without metadata, and gives it some", async () => {
    const { oldKeys, newKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    await env.SMTP_SETTINGS.put("smtp:acme", (await storedAs("acme")).value ?? "");
    expect((await storedAs("acme")).metadata).toBeNull();
    expect(await run()).toMatchObject({ examined: 1, resealed: 1, left: 0, removable: ["old"] });
    const { value, metadata } = await storedAs("acme");
    expect(metadata).toEqual({ kid: "new", updatedAt: LONG_AGO });
    expect((await open("acme", value ?? "", newKeys)).settings.password).toBe(passwordOf("acme"));
  });

  it("asks KV for a value that no cache has kept longer than need be", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const options: unknown[] = [];
    const kv = interceptedKv(env.SMTP_SETTINGS, (operation, key, parameters) => {
      if (operation === "get" && key === "smtp:acme") options.push(parameters[1]);
    });
    expect(await run(kv)).toMatchObject({ resealed: 1 });
    expect(options).toEqual([{ cacheTtl: 30 }]);
  });
});

describe("a rotation of more records than a run may take", { timeout: 60_000 }, () => {
  it("stays below 1,000 KV operations a run, and goes on where it stopped", async () => {
    const { oldKeys, run } = await newRotation();
    const tenants = tenantNames(1_200);
    await storeRecords(tenants, oldKeys);
    const runs = [];
    for (let left = tenants.length; left > 0; ) {
      const { kv, operations } = countingKv(env.SMTP_SETTINGS);
      const summary = await run(kv);
      runs.push([operations.length < 1_000, summary.resealed, summary.left]);
      left = summary.left;
    }
    expect(runs).toEqual([
      [true, 448, 752],
      [true, 448, 304],
      [true, 304, 0],
    ]);
  });

  it("says that a key can be removed only once no record needs it", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(tenantNames(500), oldKeys);
    expect((await run()).removable).toEqual([]);
    expect((await run()).removable).toEqual(["old"]);
  });
});
