import { reasonOf } from "../errors.ts";
import type { ListedRecord, SettingsStore } from "../settings/store.ts";
import { isKeyNeeded } from "../storage/sealed-places.ts";
import type { RotationCursor, RotationPosition } from "./cursor.ts";

/**
 * How long a saved record waits for its rotation, in milliseconds. KV shows a save everywhere within 60 s or
 * so. A rotation before that could read the previous settings and write them back.
 */
const SETTLING_MS = 5 * 60_000;

/**
 * How long a key stays after it was first seen not to seal any more, in milliseconds: a day. By then, no isolate with
 * the previous configuration is left, and KV lists what they have stored.
 */
const RETIREMENT_MS = 24 * 60 * 60_000;

/** The result of one run. */
interface RotationSummary {
  /** Number of stored records. */
  examined: number;
  /** Number of records that this run resealed with the first key. */
  resealed: number;
  /** Records that could not be read, opened or written. They stay unchanged. */
  failures: RotationFailure[];
  /** Number of records that an older key still seals, failures included. */
  left: number;
  /** Whether the next run can continue after this one; otherwise it starts over. */
  cursorSaved: boolean;
  /** `kid` of each key that no stored value needs any more. */
  removable: string[];
  /** Number of KV operations used. */
  operations: number;
}

/** A record that could not be resealed. */
interface RotationFailure {
  tenant: string;
  kid: string | undefined;
  reason: string;
}

/**
 * Reseals records that an older key has sealed. KV's metadata names the key, so only those records are read. A
 * run stays within its operations. The next run continues after the last tenant, so failing records do not block the
 * others.
 *
 * @param records of all tenants, as `SettingsStore.list` returns them
 * @param outboxes of all tenants, each with the keys that it may need
 * @param kids of `SETTINGS_KEYS`, the sealing key first
 * @param maxOperations KV operations allowed
 */
export async function rotate(
  store: SettingsStore,
  records: readonly ListedRecord[],
  outboxes: readonly { kids: readonly string[] }[],
  cursor: RotationCursor,
  [sealing, ...older]: readonly [string, ...string[]],
  now: Date,
  maxOperations: number,
): Promise<RotationSummary> {
  const outdated = records.filter(({ kid }) => kid !== sealing);
  const settled = outdated.filter(({ updatedAt }) => !isRecent(updatedAt, now));
  // Two operations per record, and two for the cursor.
  const size = Math.max(0, Math.floor((maxOperations - 2) / 2));
  const position = await cursor.read().catch(() => undefined);
  const batch = batchAfter(position?.tenant, settled, size);
  const resealed = new Set<string>();
  const failures: RotationFailure[] = [];
  for (const record of batch) {
    try {
      if (await store.reseal(record)) resealed.add(record.tenant);
    } catch (error) {
      failures.push({ tenant: record.tenant, kid: record.kid, reason: reasonOf(error) });
    }
  }
  // A position that could not be read stays: replacing it would restart the wait for each retired key.
  const cursorSaved =
    position !== undefined && (await saves(cursor, position, nextPosition(position, batch, older, now)));
  const left = outdated.filter(({ tenant }) => !resealed.has(tenant));
  const listings = {
    settings: left.map(({ kid }) => (kid === undefined ? undefined : [kid])),
    outboxes: outboxes.map(({ kids }) => kids),
  };
  return {
    examined: records.length,
    resealed: resealed.size,
    failures,
    left: left.length,
    cursorSaved,
    removable: older.filter((kid) => isRetired(position?.retired[kid], now) && !isKeyNeeded(kid, listings)),
    operations: 2 * batch.length + 2,
  };
}

function nextPosition(
  { tenant, retired }: RotationPosition,
  batch: readonly ListedRecord[],
  older: readonly string[],
  now: Date,
): RotationPosition {
  return {
    tenant: batch.at(-1)?.tenant ?? tenant,
    retired: Object.fromEntries(older.map((kid) => [kid, retired[kid] ?? now.toISOString()])),
  };
}

function isRetired(since: string | undefined, now: Date): boolean {
  return since !== undefined && now.getTime() - Date.parse(since) >= RETIREMENT_MS;
}

/** Writes a position that differs from the previous one. */
async function saves(
  cursor: RotationCursor,
  before: RotationPosition,
  after: RotationPosition,
): Promise<boolean> {
  if (JSON.stringify(before) === JSON.stringify(after)) return true;
  return cursor.write(after).then(
    () => true,
    () => false,
  );
}

function isRecent(updatedAt: string | undefined, now: Date): boolean {
  return updatedAt !== undefined && now.getTime() - Date.parse(updatedAt) < SETTLING_MS;
}

function batchAfter(
  tenant: string | undefined,
  records: readonly ListedRecord[],
  size: number,
): ListedRecord[] {
  const isAfter = (record: ListedRecord) => tenant === undefined || record.tenant > tenant;
  return [...records.filter(isAfter), ...records.filter((record) => !isAfter(record))].slice(0, size);
}
