import { ApiError, type FieldError, reasonOf } from "../errors.ts";
import type { HistoryEvent } from "../history/record.ts";
import { assertPreconditions, type Preconditions } from "../http/etag.ts";
import { type LatestRequest, readLatest } from "./latest-record.ts";
import type { Settings } from "./schema.ts";
import type { SettingsRecord } from "./store.ts";

/** Where settings take effect before they are stored. */
export interface SettingsTarget {
  /** The fields that the target cannot use. */
  problems(settings: Settings): FieldError[];
  /**
   * Replaces the target's settings; `undefined` clears them.
   *
   * @throws {ApiError}
   */
  apply(settings: Settings | undefined): Promise<void>;
}

/** What a change of settings takes from its request, and what it causes elsewhere. */
export interface ChangeRequest extends LatestRequest {
  /** Where settings also take effect, if anywhere. */
  target: SettingsTarget | undefined;
  /** Runs work that may end after the response. */
  waitUntil(work: Promise<void>): void;
  /** What depends on the stored settings. Gets the sealed record, or `undefined` after a delete. */
  onChange(sealed: string | undefined): Promise<void>;
}

/**
 * Replaces a tenant's record, or deletes it: applies the settings, stores them, records the change, and starts what
 * depends on it.
 *
 * @throws {ApiError} of the target, in which case nothing is stored; `applied_but_not_stored`
 * @throws {KvError}
 */
export async function commitChange(
  request: ChangeRequest,
  record: SettingsRecord | undefined,
  event: HistoryEvent,
): Promise<void> {
  const { waitUntil, onChange, recordHistory } = request;
  const stored = applyAndStore(request, record);
  // Registered before awaiting, as in recordHistory.
  waitUntil(stored.then(onChange).catch(() => {}));
  await recordHistory(stored, () => event);
}

/**
 * Deletes a tenant's settings. Without preconditions, it does not read them first: KV may not show yet what was saved
 * elsewhere.
 *
 * @throws {ApiError} `precondition_failed`, `already_stored`, `outbox_unavailable`; those of the target
 * @throws {KvError}
 */
export async function deleteSettings(
  request: ChangeRequest,
  preconditions: Preconditions | undefined,
): Promise<void> {
  if (preconditions !== undefined) assertPreconditions(preconditions, (await readLatest(request))?.version);
  await commitChange(request, undefined, { action: "deleted" });
}

async function applyAndStore(
  { target, store, tenant }: ChangeRequest,
  record: SettingsRecord | undefined,
): Promise<string | undefined> {
  await target?.apply(record?.settings);
  try {
    if (record !== undefined) return await store.write(tenant, record);
    await store.delete(tenant);
    return undefined;
  } catch (error) {
    if (target === undefined) throw error;
    throw new ApiError("applied_but_not_stored", { reason: reasonOf(error) });
  }
}
