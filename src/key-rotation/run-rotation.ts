import { log } from "../log.ts";
import type { ListedRecord, SettingsStore } from "../settings/store.ts";
import type { SealingKeys } from "../storage/sealing.ts";
import { RotationCursor } from "./cursor.ts";
import { rotate } from "./rotate.ts";

/**
 * Runs a rotation, and logs its summary and each record that failed.
 *
 * @param kv holds the cursor
 * @param records of all tenants
 * @param outboxes of all tenants, each with the keys that it may need
 * @param maxOperations KV operations allowed
 * @returns the number of KV operations used
 */
export async function runRotation(
  store: SettingsStore,
  kv: KVNamespace,
  records: readonly ListedRecord[],
  outboxes: readonly { kids: readonly string[] }[],
  [{ kid: sealing }, ...older]: SealingKeys,
  now: Date,
  maxOperations: number,
): Promise<number> {
  const kids = [sealing, ...older.map(({ kid }) => kid)] as const;
  const cursor = new RotationCursor(kv);
  const { failures, operations, ...summary } = await rotate(
    store,
    records,
    outboxes,
    cursor,
    kids,
    now,
    maxOperations,
  );
  for (const failure of failures) log("error", "record not rotated", failure);
  const advice = summary.removable.map((kid) => `The key ${kid} can be removed from SETTINGS_KEYS.`);
  log("info", "rotation", { ...summary, failed: failures.length, advice });
  return operations;
}
