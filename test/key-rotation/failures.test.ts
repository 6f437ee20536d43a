import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { faultyKv, TOO_MANY_REQUESTS } from "../support/faulty-kv.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { pagedKv } from "../support/paged-kv.ts";
import { LONG_AGO, storeRecords, tenantNames } from "../support/records.ts";
import { newRotation, storedAs } from "../support/rotation.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

beforeEach(reset);

const sealedByOld = { metadata: { kid: "old", updatedAt: LONG_AGO } };

describe("a rotation with a record that cannot be decrypted", () => {
  it.each(["", "broken", "{}", "e30.e30.e30.e30.e30"])(
    "reports the tenant, and leaves the record unchanged: %j",
    async (value) => {
      const { run } = await newRotation();
      await env.SMTP_SETTINGS.put("smtp:acme", value, sealedByOld);
      expect(await run()).toEqual({
        examined: 1,
        resealed: 0,
        failures: [{ tenant: "acme", kid: "old", reason: expect.any(String) }],
        left: 1,
        cursorSaved: true,
        removable: [],
        operations: 4,
      });
      expect(await storedAs("acme")).toMatchObject({ value, metadata: sealedByOld.metadata });
    },
  );

  it("leaves another tenant's record unchanged", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["victim"], oldKeys);
    const { value } = await storedAs("victim");
    await env.SMTP_SETTINGS.put("smtp:mallory", value ?? "", sealedByOld);
    expect(await run()).toMatchObject({ resealed: 1, failures: [{ tenant: "mallory" }], left: 1 });
    expect(await storedAs("mallory")).toMatchObject({ value, metadata: { kid: "old" } });
  });

  it("lets other keys be removed if the record's key is lost", async () => {
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

  it("lets no key be removed if the record has no metadata, as it may need any of them", async () => {
    const { run } = await newRotation();
    await env.SMTP_SETTINGS.put("smtp:acme", "broken");
    expect(await run()).toMatchObject({ failures: [{ tenant: "acme" }], left: 1, removable: [] });
    expect(await storedAs("acme")).toMatchObject({ value: "broken", metadata: null });
  });

  it("still reaches every other record, however many are broken", async () => {
    const { oldKeys, run } = await newRotation();
    const broken = tenantNames(6, "a");
    await Promise.all(broken.map((tenant) => env.SMTP_SETTINGS.put(`smtp:${tenant}`, "broken", sealedByOld)));
    await storeRecords(tenantNames(2, "b"), oldKeys);
    // Room for 5 records per run.
    const options = { maxOperations: 14 };
    const [first, second, third] = [await run(options), await run(options), await run(options)];
    expect([first.resealed, first.failures.length]).toEqual([0, 5]);
    expect([second.resealed, second.left]).toEqual([2, 6]);
    // Broken records are tried again, because their key may come back.
    expect([third.resealed, third.failures.length, third.left]).toEqual([0, 5, 6]);
  });
});

describe("a rotation while KV fails", () => {
  it.each(["get", "put"] as const)("skips only the records whose %s failed", async (operation) => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(tenantNames(10), oldKeys);
    const outage = `KV ${operation.toUpperCase()} failed: 500 Internal Server Error`;
    const { kv } = faultyKv(operation, outage, 3, "smtp:");
    const summary = await run({ kv });
    expect(summary).toMatchObject({ examined: 10, resealed: 7, left: 3, removable: [] });
    expect(summary.failures).toEqual(
      ["t00000", "t00001", "t00002"].map((tenant) => ({ tenant, kid: "old", reason: outage })),
    );
    expect((await storedAs("t00000")).metadata).toMatchObject({ kid: "old" });
    expect(await run()).toMatchObject({ resealed: 3, failures: [], left: 0, removable: ["old"] });
  });

  it.each(["get", "put"] as const)("leaves a record to the next run after a 429 to %s", async (operation) => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const { kv, calls } = faultyKv(operation, TOO_MANY_REQUESTS, 1, "smtp:");
    expect(await run({ kv })).toMatchObject({ resealed: 0, failures: [{ tenant: "acme" }], left: 1 });
    expect(calls()).toBe(1);
  });

  it("stops before it writes if the records cannot be listed", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const before = await storedAs("acme");
    const outage = "KV GET failed: 503 Service Unavailable";
    const { kv } = faultyKv("list", outage, 1);
    await expect(run({ kv })).rejects.toMatchObject({ name: "KvError", message: outage });
    expect(await storedAs("acme")).toEqual(before);
  });

  it("stops before it writes if a later page of the list fails", async () => {
    const { oldKeys, run } = await newRotation();
    const tenants = tenantNames(5);
    await storeRecords(tenants, oldKeys);
    let pages = 0;
    const kv = interceptedKv(pagedKv(env.SMTP_SETTINGS, 2), (operation) => {
      if (operation === "list" && ++pages === 2) throw new Error("KV LIST failed: 500 Internal Server Error");
    });
    await expect(run({ kv })).rejects.toMatchObject({ name: "KvError" });
    const kids = await Promise.all(tenants.map(async (tenant) => (await storedAs(tenant)).metadata?.kid));
    expect(kids).toEqual(tenants.map(() => "old"));
  });

  it("reseals and reports even if the cursor can be neither read nor written", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const kv = interceptedKv(env.SMTP_SETTINGS, (_, key) => {
      if (key === "rotation") throw new Error("KV failed: 503 Service Unavailable");
    });
    expect(await run({ kv })).toEqual({
      examined: 1,
      resealed: 1,
      failures: [],
      left: 0,
      cursorSaved: false,
      removable: [],
      operations: 4,
    });
  });
});
