import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { faultyKv } from "../support/faulty-kv.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { LONG_AGO, storeRecords, tenantNames } from "../support/records.ts";
import { newRotation, storedAs } from "../support/rotation.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

afterEach(reset);

const sealedByOld = { metadata: { kid: "old", updatedAt: LONG_AGO } };

describe("a record that cannot be opened", () => {
  it.each(["", "broken", "{}", "e30.e30.e30.e30.e30"])(
    "is counted with its tenant, and left alone byte for byte: %j",
    async (value) => {
      const { run } = await newRotation();
      await env.SMTP_SETTINGS.put("smtp:acme", value, sealedByOld);
      expect(await run()).toEqual({
        examined: 1,
        resealed: 0,
        failures: [{ tenant: "acme", kid: "old", reason: expect.any(String) }],
        left: 1,
        progressNoted: true,
        removable: [],
      });
      expect(await storedAs("acme")).toMatchObject({ value, metadata: sealedByOld.metadata });
    },
  );

  it("as it is another tenant's, is left alone too", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["victim"], oldKeys);
    const { value } = await storedAs("victim");
    await env.SMTP_SETTINGS.put("smtp:mallory", value ?? "", sealedByOld);
    expect(await run()).toMatchObject({ resealed: 1, failures: [{ tenant: "mallory" }], left: 1 });
    expect(await storedAs("mallory")).toMatchObject({ value, metadata: { kid: "old" } });
  });

  it("as its key is lost, keeps no other key from being removed", async () => {
    const { oldKeys, run } = await newRotation();
    const { settingsKeys: lost } = await newSettingsKeys("lost");
    await storeRecords(["acme"], oldKeys);
    await storeRecords(["globex"], lost);
    const before = await storedAs("globex");
    expect(await run()).toMatchObject({
      resealed: 1,
      failures: [{ tenant: "globex", kid: "lost", reason: "no settings key has this kid" }],
      left: 1,
      removable: ["old"],
    });
    expect(await storedAs("globex")).toEqual(before);
  });

  it("without metadata keeps every key, as nobody knows which one it needs", async () => {
    const { run } = await newRotation();
    await env.SMTP_SETTINGS.put("smtp:acme", "broken");
    expect(await run()).toMatchObject({ failures: [{ tenant: "acme" }], left: 1, removable: [] });
    expect(await storedAs("acme")).toMatchObject({ value: "broken", metadata: null });
  });

  it("does not keep the others from their turn, however many there are", { timeout: 60_000 }, async () => {
    const { oldKeys, run } = await newRotation();
    const broken = tenantNames(500, "a");
    await Promise.all(broken.map((tenant) => env.SMTP_SETTINGS.put(`smtp:${tenant}`, "broken", sealedByOld)));
    await storeRecords(tenantNames(100, "b"), oldKeys);
    const [first, second, third] = [await run(), await run(), await run()];
    expect([first.resealed, first.failures.length]).toEqual([0, 448]);
    expect([second.resealed, second.left]).toEqual([100, 500]);
    // The broken ones are tried again and again, as their key may come back.
    expect([third.resealed, third.failures.length, third.left]).toEqual([0, 448, 500]);
  });
});

describe("KV that fails", () => {
  it.each(["get", "put"] as const)(
    "for some records (%s) costs only those, and only for this run",
    async (operation) => {
      const { oldKeys, run } = await newRotation();
      await storeRecords(tenantNames(10), oldKeys);
      const outage = `KV ${operation.toUpperCase()} failed: 500 Internal Server Error`;
      const { kv } = faultyKv(operation, outage, 3, "smtp:");
      const summary = await run(kv);
      expect(summary).toMatchObject({ examined: 10, resealed: 7, left: 3, removable: [] });
      expect(summary.failures).toEqual(
        ["t00000", "t00001", "t00002"].map((tenant) => ({ tenant, kid: "old", reason: outage })),
      );
      expect((await storedAs("t00000")).metadata).toMatchObject({ kid: "old" });
      expect(await run()).toMatchObject({ resealed: 3, failures: [], left: 0, removable: ["old"] });
    },
  );

  it("with 429 is not asked again in the same run, which has other records to see to", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const { kv, calls } = faultyKv("put", "KV PUT failed: 429 Too Many Requests", 1, "smtp:");
    expect(await run(kv)).toMatchObject({ resealed: 0, failures: [{ tenant: "acme" }], left: 1 });
    expect(calls()).toBe(1);
  });

  it("to list ends the run before anything is written", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const before = await storedAs("acme");
    const kv = interceptedKv(env.SMTP_SETTINGS, (operation) => {
      if (operation === "list") throw new Error("KV GET failed: 503 Service Unavailable");
    });
    const refusal = { kind: "store_unavailable", reason: "KV GET failed: 503 Service Unavailable" };
    await expect(run(kv)).rejects.toMatchObject({ refusal });
    expect(await storedAs("acme")).toEqual(before);
  });

  it("to say or note where a run stopped costs no record and no summary", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const kv = interceptedKv(env.SMTP_SETTINGS, (_, key) => {
      if (key === "rotation") throw new Error("KV failed: 503 Service Unavailable");
    });
    const summary = {
      examined: 1,
      resealed: 1,
      failures: [],
      left: 0,
      progressNoted: false,
      removable: ["old"],
    };
    expect(await run(kv)).toEqual(summary);
  });

  it("on a later page of the list ends the run before anything is written", { timeout: 60_000 }, async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(tenantNames(1_001), oldKeys);
    let pages = 0;
    const kv = interceptedKv(env.SMTP_SETTINGS, (operation) => {
      if (operation === "list" && ++pages === 2) throw new Error("KV LIST failed: 500 Internal Server Error");
    });
    await expect(run(kv)).rejects.toMatchObject({ refusal: { kind: "store_unavailable" } });
    expect(await run()).toMatchObject({ examined: 1_001, resealed: 448, left: 553 });
  });
});
