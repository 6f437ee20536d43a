import type { SettingsRequest } from "./request.ts";
import { openRecord, type SettingsRecord } from "./store.ts";

/** Settings that were saved or deleted a moment ago. */
export interface RecentChange {
  /** The sealed record; `undefined` after a delete. */
  jwe: string | undefined;
  /** Time of the change, in milliseconds since 1970. */
  at: number;
}

/** What reading the latest record takes from a request. */
export interface LatestRequest extends SettingsRequest {
  /**
   * The last change of the tenant's settings, if that was within two minutes.
   *
   * @throws {ApiError}
   */
  recentChange(): Promise<RecentChange | undefined>;
}

/**
 * Reads the tenant's record for a precondition. For 90 seconds, KV may show the record before the last change, or
 * none, so a change of the last two minutes decides instead.
 *
 * @returns `undefined` if nothing is stored
 * @throws {ApiError} `outbox_unavailable`
 * @throws {KvError}
 * @throws {SealingError}
 */
export async function readLatest({
  store,
  tenant,
  config,
  recentChange,
}: LatestRequest): Promise<SettingsRecord | undefined> {
  const [stored, recent] = await Promise.all([store.read(tenant), recentChange()]);
  if (recent === undefined) return stored;
  const { jwe, at } = recent;
  const changed = jwe === undefined ? undefined : await openRecord(tenant, jwe, config.settingsKeys);
  // The notification of a later change may be lost, and KV shows that change.
  const changedAt = changed?.updatedAt ?? new Date(at).toISOString();
  return stored !== undefined && stored.updatedAt > changedAt ? stored : changed;
}
