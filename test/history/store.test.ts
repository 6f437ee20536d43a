import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HistoryStore } from "../../src/history/store.ts";
import { newAdministrator } from "../support/administrator.ts";
import { countingKv } from "../support/counting-kv.ts";
import { families } from "../support/families.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { callerWith, historyClaims, largestEntry, storeEntries } from "../support/history-entries.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { newTenant } from "../support/issuer.ts";
import { sampleSettings } from "../support/samples.ts";

const store = new HistoryStore(env.SMTP_SETTINGS);
const ada = callerWith({ subject: "ada" });

describe("a stored entry", () => {
  it("expires 400 days after it is written", async () => {
    const administrator = await newAdministrator(families[0].address);
    const options: unknown[] = [];
    const SMTP_SETTINGS = interceptedKv(env.SMTP_SETTINGS, (operation, key, parameters) => {
      if (operation === "put" && key.startsWith("history:")) options.push(parameters[2]);
    });
    await administrator.save(sampleSettings, { env: { SMTP_SETTINGS } });
    expect(options).toEqual([expect.objectContaining({ expirationTtl: 400 * 24 * 60 * 60 })]);
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `history:${administrator.tenant}:` });
    const days = (Number(keys[0]?.expiration) - Date.now() / 1000) / (24 * 60 * 60);
    expect(days).toBeCloseTo(400, 2);
  });

  it("is a key that sorts newest first, with everything in its metadata and no value", async () => {
    const administrator = await newAdministrator(families[0].address);
    const response = await administrator.send({ method: "DELETE", env: {} });
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `history:${administrator.tenant}` });
    const own = keys.filter(({ name }) => name.startsWith(`history:${administrator.tenant}:`));
    const { entries } = await readHistory(administrator);
    const countdown = 9_999_999_999_999 - Date.parse(String(entries[0]?.at));
    const requestId = response.headers.get("X-Request-Id");
    expect(own).toEqual([
      expect.objectContaining({
        name: `history:${administrator.tenant}:${countdown}:${requestId}`,
        metadata: entries[0],
      }),
    ]);
    expect(await env.SMTP_SETTINGS.get(own[0]?.name ?? "")).toBe("");
  });

  it("returns from KV as it was written, in any script", async () => {
    const property = fc.asyncProperty(historyClaims, async (claims) => {
      const tenant = newTenant();
      const entry = largestEntry(claims);
      await store.append(tenant, entry);
      expect(await store.page(tenant, 10)).toEqual({ entries: [entry] });
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it("does not replace another of the same millisecond", async () => {
    const tenant = newTenant();
    const at = new Date();
    for (let count = 0; count < 2; count++) await store.append(tenant, largestEntry(ada, at));
    expect((await store.page(tenant, 10))?.entries).toHaveLength(2);
  });
});

describe("a page", () => {
  it("starts with the newest entry, and has no cursor if it is the last", async () => {
    const tenant = newTenant();
    const requestIds = await storeEntries(tenant, 3);
    const page = await store.page(tenant, 10);
    expect(page?.entries.map(({ requestId }) => requestId)).toEqual(requestIds);
    expect(page).not.toHaveProperty("cursor");
  });

  it("leads by its cursor to the next, until each entry was returned once", async () => {
    const tenant = newTenant();
    const requestIds = await storeEntries(tenant, 7);
    const sizes: number[] = [];
    const read: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.page(tenant, 3, cursor);
      sizes.push(page?.entries.length ?? 0);
      read.push(...(page?.entries ?? []).map(({ requestId }) => requestId));
      cursor = page?.cursor;
    } while (cursor !== undefined);
    expect(sizes).toEqual([3, 3, 1]);
    expect(read).toEqual(requestIds);
  });

  it("costs one KV list, whatever its size", async () => {
    const tenant = newTenant();
    await storeEntries(tenant, 60);
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect((await new HistoryStore(kv).page(tenant, 60))?.entries).toHaveLength(60);
    expect(operations).toEqual(["list history"]);
  });

  it("does not exist for a cursor that KV rejects", async () => {
    const { kv } = faultyKv("list", "KV GET failed: 400 Bad Request", 1);
    expect(await new HistoryStore(kv).page(newTenant(), 10, "made-up")).toBeUndefined();
  });

  it.each([
    ["KV GET failed: 500 Internal Server Error", "made-up"],
    ["KV GET failed: 500 Internal Server Error", undefined],
    ["KV GET failed: 400 Bad Request", undefined],
  ])("fails with KV: %j with cursor %j", async (message, cursor) => {
    const { kv } = faultyKv("list", message, 1);
    const page = new HistoryStore(kv).page(newTenant(), 10, cursor);
    await expect(page).rejects.toMatchObject({ name: "KvError", message });
  });
});

describe("the history of another tenant", () => {
  it.each([
    ["its beginning", (victim: string) => `history:${victim}:`],
    ["before it", (victim: string) => `history:${victim.slice(0, -1)}`],
    ["its settings", (victim: string) => `smtp:${victim}`],
  ])("is not reached by an invented cursor that points to %s", async (_, place) => {
    const [tenant, victim] = [newTenant(), newTenant()];
    const [newest] = await storeEntries(victim, 3);
    const page = await store.page(tenant, 1, btoa(place(victim)));
    expect(page).toMatchObject({ entries: [] });
    expect(JSON.stringify(page)).not.toContain(newest);
  });

  it("is not returned even if KV follows a cursor out of the prefix", async () => {
    const [tenant, victim] = [newTenant(), newTenant()];
    await storeEntries(victim, 3);
    const gullible = new Proxy(env.SMTP_SETTINGS, {
      get: (target) => () => target.list({ prefix: `history:${victim}:`, limit: 2 }),
    });
    expect(await new HistoryStore(gullible).page(tenant, 10, "made-up")).toBeUndefined();
  });

  it("is not returned if its name starts with the tenant's", async () => {
    const tenant = newTenant();
    await storeEntries(`${tenant}-2`, 1);
    expect(await store.page(tenant, 10)).toEqual({ entries: [] });
  });
});
