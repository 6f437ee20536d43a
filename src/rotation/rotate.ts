import { reasonOf } from "../errors.ts";
import { ROTATION_MAX_OPERATIONS, ROTATION_QUIET_MS } from "../limits.ts";
import type { ListedRecord, SettingsStore } from "../settings/store.ts";
import type { RotationProgress } from "./progress.ts";

/** What one run has done. */
export interface RotationSummary {
  /** How many records there are. */
  examined: number;
  /** How many the first key has sealed anew. */
  resealed: number;
  /** Those that could not be read, opened or written. They are left as they are. */
  failures: RotationFailure[];
  /** How many records other keys than the first still seal, failures included. */
  left: number;
  /** Whether the next run will know how far this one came; if not, it begins at the beginning. */
  progressNoted: boolean;
  /** Keys that no record needs any more, by `kid`: they can be removed. */
  removable: string[];
}

/** A record that could not be sealed anew. */
export interface RotationFailure {
  tenant: string;
  kid: string | undefined;
  reason: string;
}

/**
 * Seals records anew that another key than the first has sealed. Which ones these are stands in KV's
 * metadata, so only they are read. A run stays below the operations that Workers allow, and the next one
 * goes on behind the last tenant, so that records which fail do not keep it from the others. Records that
 * were saved only just now wait for a later run: KV may still show what they were before.
 *
 * @param kids of `SETTINGS_KEYS`, the sealing one first
 * @throws {RefusedError} `store_unavailable` where the records cannot be listed
 */
export async function rotate(
  store: SettingsStore,
  progress: RotationProgress,
  [sealing, ...older]: readonly [string, ...string[]],
  now: Date,
): Promise<RotationSummary> {
  const listing = await store.list();
  const outdated = listing.records.filter(({ kid }) => kid !== sealing);
  const settled = outdated.filter(({ updatedAt }) => !isRecent(updatedAt, now));
  // Two for each record, and two for the progress.
  const size = Math.max(0, Math.floor((ROTATION_MAX_OPERATIONS - listing.operations - 2) / 2));
  const batch = batchAfter(await progress.read().catch(() => undefined), settled, size);
  const done = new Set<string>();
  const failures: RotationFailure[] = [];
  for (const record of batch) {
    try {
      if (await store.reseal(record)) done.add(record.tenant);
    } catch (error) {
      failures.push({ tenant: record.tenant, kid: record.kid, reason: reasonOf(error) });
    }
  }
  const last = batch.at(-1);
  const progressNoted = last === undefined || (await succeeds(progress.write(last.tenant)));
  const left = outdated.filter(({ tenant }) => !done.has(tenant));
  return {
    examined: listing.records.length,
    resealed: done.size,
    failures,
    left: left.length,
    progressNoted,
    removable: older.filter((kid) => left.every((record) => record.kid !== kid && record.kid !== undefined)),
  };
}

function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

function isRecent(updatedAt: string | undefined, now: Date): boolean {
  return updatedAt !== undefined && now.getTime() - Date.parse(updatedAt) < ROTATION_QUIET_MS;
}

function batchAfter(
  tenant: string | undefined,
  records: readonly ListedRecord[],
  size: number,
): ListedRecord[] {
  const isBehind = (record: ListedRecord) => tenant === undefined || record.tenant > tenant;
  return [...records.filter(isBehind), ...records.filter((record) => !isBehind(record))].slice(0, size);
}
