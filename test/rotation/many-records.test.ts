import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { countingKv } from "../support/counting-kv.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { passwordOf, storeRecords, tenantNames } from "../support/records.ts";
import { cronTrigger, newRotation } from "../support/rotation.ts";

const RECORDS = 2_500;

/** What goes wrong in each run: nothing, where there is no entry. */
const FAULTS: Record<number, (operation: string, key: string) => boolean> = {
  2: (operation, key) => operation === "get" && key.startsWith("smtp:") && key.endsWith("7"),
  3: (operation) => operation === "list",
  4: (operation, key) => operation === "put" && key.startsWith("smtp:") && key.endsWith("3"),
};

it("rotates 2,500 records over several runs, through faults in the middle, until the old key can go", async () => {
  const { secret, secretAfterwards, oldKeys } = await newRotation();
  const tenants = tenantNames(RECORDS);
  await storeRecords(tenants, oldKeys);
  const summaries: Record<string, unknown>[] = [];
  const lines: string[] = [];
  for (let run = 1; run <= 20 && summaries.at(-1)?.left !== 0; run++) {
    const { kv, operations } = countingKv(env.SMTP_SETTINGS);
    const SMTP_SETTINGS = interceptedKv(kv, (operation, key) => {
      if (FAULTS[run]?.(operation, key)) throw new Error("KV failed: 500 Internal Server Error");
    });
    const log = await cronTrigger({ SMTP_SETTINGS, SETTINGS_KEYS: secret });
    expect(operations.length).toBeLessThan(1_000);
    summaries.push(log.entries.at(-1) ?? {});
    lines.push(...log.lines);
  }
  console.info(
    `Rotation of ${RECORDS} records:\n${summaries.map((line) => JSON.stringify(line)).join("\n")}`,
  );

  expect(summaries.map(({ message, resealed, failed, left }) => [message, resealed, failed, left])).toEqual([
    ["rotation", 447, 0, 2053],
    ["rotation", 402, 45, 1651],
    ["rotation failed", undefined, undefined, undefined],
    ["rotation", 403, 44, 1248],
    ["rotation", 447, 0, 801],
    ["rotation", 447, 0, 354],
    ["rotation", 354, 0, 0],
  ]);
  expect(summaries.map(({ removable }) => removable)).toEqual([[], [], undefined, [], [], [], ["old"]]);
  expect(lines.filter((line) => line.includes("record not rotated"))).toHaveLength(45 + 44);
  expect(lines.filter((line) => line.includes(passwordOf("")))).toEqual([]);

  const { settingsKeys } = await loadConfig({ ...env, SETTINGS_KEYS: secretAfterwards });
  expect(settingsKeys.map(({ kid }) => kid)).toEqual(["new"]);
  const store = new SettingsStore(env.SMTP_SETTINGS, settingsKeys);
  const opened = await Promise.all(tenants.map((tenant) => store.read(tenant)));
  expect(opened.map((record) => record?.settings.password)).toEqual(tenants.map(passwordOf));
}, 120_000);
