import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { open } from "../../src/settings/vault.ts";
import { countingKv } from "../support/counting-kv.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { storeRecords } from "../support/records.ts";
import { newRotation, storedAs } from "../support/rotation.ts";

afterEach(reset);

const NOW = new Date("2026-11-20T12:00:00.000Z");
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString();

/** The Worker's namespace, where something happens to a tenant's record between its listing and its reading. */
function whereMeanwhile(happens: () => Promise<unknown>): KVNamespace {
  return interceptedKv(env.SMTP_SETTINGS, (operation, key) =>
    operation === "get" && key.startsWith("smtp:") ? happens() : undefined,
  );
}

describe("a record that changes between being listed and being read", () => {
  it.each(["oldKeys", "newKeys"] as const)("is left as it was saved, by %s", async (keys) => {
    const rotation = await newRotation();
    await storeRecords(["acme"], rotation.oldKeys, { updatedBy: "ada" });
    let saved: Awaited<ReturnType<typeof storedAs>> | undefined;
    const kv = whereMeanwhile(async () => {
      await storeRecords(["acme"], rotation[keys], { updatedBy: "grace", updatedAt: minutesAgo(0) });
      saved = await storedAs("acme");
    });
    expect(await rotation.run(kv, NOW)).toMatchObject({ resealed: 0, failures: [], left: 1, removable: [] });
    expect(await storedAs("acme")).toEqual(saved);
    expect((await open("acme", saved?.value ?? "", rotation.keys)).updatedBy).toBe("grace");
  });

  it("is sealed anew by a later run, once it has settled", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const kv = whereMeanwhile(() => storeRecords(["acme"], oldKeys, { updatedAt: minutesAgo(0) }));
    expect(await run(kv, NOW)).toMatchObject({ resealed: 0, left: 1 });
    const later = new Date(NOW.getTime() + 10 * 60_000);
    expect(await run(env.SMTP_SETTINGS, later)).toMatchObject({ resealed: 1, left: 0, removable: ["old"] });
    expect((await storedAs("acme")).metadata).toEqual({ kid: "new", updatedAt: minutesAgo(0) });
  });

  it("stays deleted if it was deleted", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys);
    const { kv, operations } = countingKv(whereMeanwhile(() => env.SMTP_SETTINGS.delete("smtp:acme")));
    expect(await run(kv, NOW)).toMatchObject({ resealed: 0, failures: [] });
    expect(operations).not.toContain("put smtp");
    expect((await storedAs("acme")).value).toBeNull();
    expect(await run()).toMatchObject({ examined: 0, left: 0, removable: ["old"] });
  });
});

describe("a record that was saved only just now", () => {
  it.each([
    ["this moment", 0],
    ["a minute ago", 1],
    ["less than five minutes ago", 4.99],
    ["by a clock that goes ahead", -3],
  ])("waits for a later run, and its key cannot be removed: %s", async (_, minutes) => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys, { updatedAt: minutesAgo(minutes) });
    const before = await storedAs("acme");
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    expect(await run(kv, NOW)).toEqual({
      examined: 1,
      resealed: 0,
      failures: [],
      left: 1,
      progressNoted: true,
      removable: [],
    });
    expect(operations).toEqual(["list smtp", "get rotation"]);
    expect(await storedAs("acme")).toEqual(before);
  });

  it("is sealed anew five minutes after the save", async () => {
    const { oldKeys, run } = await newRotation();
    await storeRecords(["acme"], oldKeys, { updatedAt: minutesAgo(5) });
    expect(await run(env.SMTP_SETTINGS, NOW)).toMatchObject({ resealed: 1, left: 0 });
    expect((await storedAs("acme")).metadata).toMatchObject({ kid: "new" });
  });
});
