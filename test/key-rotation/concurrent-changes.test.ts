import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { openRecord } from "../../src/settings/store.ts";
import { countingKv } from "../support/counting-kv.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { storeRecords } from "../support/records.ts";
import { newRotation, storedAs } from "../support/rotation.ts";

beforeEach(reset);

const NOW = new Date("2026-11-20T12:00:00.000Z");
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString();

/** Wraps the Worker's namespace: `change` runs after a record was listed, before it is read. */
function kvWithChange(change: () => Promise<unknown>): KVNamespace {
  return interceptedKv(env.SMTP_SETTINGS, (operation, key) =>
    operation === "get" && key.startsWith("smtp:") ? change() : undefined,
  );
}

describe("a rotation during which a record changes", () => {
  it.each(["oldKeys", "newKeys"] as const)("keeps what was saved with %s", async (keys) => {
    const rotation = await newRotation();
    await storeRecords(["acme"], rotation.oldKeys, { updatedBy: "ada" });
    let saved: Awaited<ReturnType<typeof storedAs>> | undefined;
    const kv = kvWithChange(async () => {
      await storeRecords(["acme"], rotation[keys], { updatedBy: "grace", updatedAt: minutesAgo(0) });
      saved = await storedAs("acme");
    });
    expect(await rotation.run({ kv, now: NOW })).toMatchObject({
      resealed: 0,
      failures: [],
      left: 1,
      removable: [],
    });
    expect(await storedAs("acme")).toEqual(saved);
    expect((await openRecord("acme", saved?.value ?? "", rotation.keys)).updatedBy).toBe("grace");
  });

  it("reseals the record in a later run", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const kv = kvWithChange(() => storeRecords(["acme"], oldKeys, { updatedAt: minutesAgo(0) }));
    expect(await run({ kv, now: NOW })).toMatchObject({ resealed: 0, left: 1 });
    const later = new Date(NOW.getTime() + 10 * 60_000);
    expect(await run({ now: later })).toMatchObject({ resealed: 1, left: 0, removable: ["old"] });
    expect((await storedAs("acme")).metadata).toEqual({ kid: "new", updatedAt: minutesAgo(0) });
  });

  it("does not restore a deleted record", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const { kv, operations } = countingKv(kvWithChange(() => env.SMTP_SETTINGS.delete("smtp:acme")));
    expect(await run({ kv, now: NOW })).toMatchObject({ resealed: 0, failures: [] });
    expect(operations).not.toContain("put smtp");
    expect((await storedAs("acme")).value).toBeNull();
    expect(await run()).toMatchObject({ examined: 0, left: 0, removable: ["old"] });
  });
});

describe("a rotation of a record saved less than five minutes ago", () => {
  it.each([
    ["this moment", 0],
    ["a minute ago", 1],
    ["less than five minutes ago", 4.99],
    ["by a clock that is ahead", -3],
  ])("leaves it to a later run, and reports no key as removable: saved %s", async (_, minutes) => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys, { updatedAt: minutesAgo(minutes) });
    const before = await storedAs("acme");
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await run({ kv, now: NOW })).toEqual({
      examined: 1,
      resealed: 0,
      failures: [],
      left: 1,
      cursorSaved: true,
      removable: [],
      operations: 2,
    });
    expect(operations).toEqual(["list smtp", "list outbox", "get rotation"]);
    expect(await storedAs("acme")).toEqual(before);
  });

  it("reseals it five minutes after the save", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys, { updatedAt: minutesAgo(5) });
    expect(await run({ now: NOW })).toMatchObject({ resealed: 1, left: 0 });
    expect((await storedAs("acme")).metadata).toMatchObject({ kid: "new" });
  });
});
