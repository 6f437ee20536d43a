import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { countingKv } from "../support/counting-kv.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { passwordOf, storeRecords, tenantNames } from "../support/records.ts";
import { cronTrigger, newRotation } from "../support/rotation.ts";

beforeEach(reset);

/** More than KV lists at once, and than two runs may reseal. */
const RECORDS = 1_100;

/** The KV operations that fail in each run. */
const FAULTS: Record<number, (operation: string, key: string) => boolean> = {
  1: (operation, key) => operation === "get" && key.startsWith("smtp:") && key.endsWith("7"),
  2: (operation) => operation === "list",
  3: (operation, key) => operation === "put" && key.startsWith("smtp:") && key.endsWith("3"),
};

describe("a rotation", () => {
  it("reseals 1,100 records in several runs, despite faults, until the old key can be removed", async () => {
    const { secret, secretAfterwards, oldKeys } = await newRotation();
    const tenants = tenantNames(RECORDS);
    await storeRecords(tenants, oldKeys);
    const summaries: Record<string, unknown>[] = [];
    const lines: string[] = [];
    for (let run = 1; run <= 10 && summaries.at(-1)?.left !== 0; run++) {
      const { kv, operations } = countingKv(env.SMTP_SETTINGS);
      const SMTP_SETTINGS = interceptedKv(kv, (operation, key) => {
        if (FAULTS[run]?.(operation, key)) throw new Error("KV failed: 500 Internal Server Error");
      });
      const log = await cronTrigger({ SMTP_SETTINGS, SETTINGS_KEYS: secret });
      // Workers allow 1,000 external operations per invocation.
      expect(operations.length).toBeLessThan(1_000);
      summaries.push(log.entries.at(-1) ?? {});
      lines.push(...log.lines);
    }

    const counts = summaries.map(({ message, resealed, failed, left }) => [message, resealed, failed, left]);
    expect(counts).toEqual([
      ["rotation", 358, 39, 742],
      ["rotation failed", undefined, undefined, undefined],
      ["rotation", 357, 40, 385],
      ["rotation", 385, 0, 0],
    ]);
    expect(summaries.map(({ removable }) => removable)).toEqual([[], undefined, [], ["old"]]);
    expect(lines.filter((line) => line.includes("record not rotated"))).toHaveLength(39 + 40);
    expect(lines.filter((line) => line.includes(passwordOf("")))).toEqual([]);

    const { settingsKeys } = await loadConfig({ ...env, SETTINGS_KEYS: secretAfterwards });
    expect(settingsKeys.map(({ kid }) => kid)).toEqual(["new"]);
    const store = new SettingsStore(env.SMTP_SETTINGS, settingsKeys);
    const opened = await Promise.all(tenants.map((tenant) => store.read(tenant)));
    expect(opened.map((record) => record?.settings.password)).toEqual(tenants.map(passwordOf));
  });
});
