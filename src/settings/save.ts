import { callerName } from "../auth/caller.ts";
import { ApiError } from "../errors.ts";
import type { TestTarget } from "../history/record.ts";
import { assertPreconditions, type Preconditions } from "../http/etag.ts";
import { invalidField } from "../http/validation.ts";
import { type ChangeRequest, commitChange } from "./change.ts";
import { readLatest } from "./latest-record.ts";
import { policyProblem } from "./policy.ts";
import type { Settings } from "./schema.ts";
import type { SettingsRecord } from "./store.ts";
import { usesMask, withStoredSecrets } from "./stored-secrets.ts";
import { assertConnection } from "./test.ts";

interface SaveOptions {
  /** Whether the SMTP server has to accept the settings first. */
  verify?: boolean | undefined;
  preconditions: Preconditions | undefined;
}

type ReadRecord = () => Promise<SettingsRecord | undefined>;

/**
 * Saves settings. The version of the record is the request's id.
 *
 * @throws {ApiError} `invalid_fields`, `precondition_failed`, `already_stored`, `outbox_unavailable`,
 * `settings_changed`; those of a test and of the target
 * @throws {KvError}
 * @throws {SealingError} if the stored settings are needed, and unreadable
 */
export async function saveSettings(
  request: ChangeRequest,
  sent: Settings,
  { verify, preconditions }: SaveOptions,
): Promise<void> {
  const problem = await policyProblem(sent, request.config);
  if (problem !== undefined) throw invalidField(problem);
  // A test takes up to 30 s, in which another save may succeed; a target cannot be undone.
  const isChecked = verify || request.target !== undefined;
  const read = () => (preconditions === undefined ? request.store.read(request.tenant) : readLatest(request));
  const isNeeded = isChecked || preconditions !== undefined || usesMask(sent);
  const { stored, isKnown } = await readStored(read, isNeeded);
  if (preconditions !== undefined) assertPreconditions(preconditions, stored?.version);
  const settings = keepSecrets(sent, stored?.settings);
  assertUsable(request, settings);
  const tested = verify
    ? await assertConnection(request, settings, "sent", { records: "failure" })
    : undefined;
  if (isChecked) await assertUnchanged(request, read, stored?.version, tested?.target);
  const changed = isKnown ? changedFields(stored?.settings, settings) : undefined;
  await commitChange(request, recordOf(request, settings), { action: "saved", changed });
}

/** Reads the stored record. A plain save needs it for its history only, and does not depend on it. */
async function readStored(
  read: ReadRecord,
  isNeeded: boolean,
): Promise<{ stored?: SettingsRecord | undefined; isKnown: boolean }> {
  try {
    return { stored: await read(), isKnown: true };
  } catch (error) {
    if (isNeeded) throw error;
    return { isKnown: false };
  }
}

function keepSecrets(sent: Settings, stored: Settings | undefined): Settings {
  const kept = withStoredSecrets(sent, stored, "save");
  if ("error" in kept) throw invalidField(kept.error);
  return kept.settings;
}

/** A kept secret may be from before there was a target. */
function assertUsable({ target }: ChangeRequest, settings: Settings): void {
  const errors = target?.problems(settings) ?? [];
  if (errors.length > 0) throw new ApiError("invalid_fields", { errors });
}

/**
 * Requires that the stored record is still the same.
 *
 * @param tested what a test has contacted. Without an entry, a guessed password that passes would leave no trace
 * @throws {ApiError} `settings_changed`
 */
async function assertUnchanged(
  { recordHistory }: ChangeRequest,
  read: ReadRecord,
  version: string | undefined,
  tested: TestTarget | undefined,
): Promise<void> {
  const current = await read();
  if (current?.version === version) return;
  if (tested !== undefined)
    await recordHistory(Promise.resolve(), () => ({ action: "tested", test: tested }));
  throw new ApiError("settings_changed");
}

/** Names of the fields in which settings differ, secrets included: a name reveals no value. */
function changedFields(before: Settings | undefined, after: Settings): string[] {
  const old: Partial<Settings> = before ?? {};
  const names = new Set([...Object.keys(old), ...Object.keys(after)]) as Set<keyof Settings>;
  return [...names].filter((name) => old[name] !== after[name]).sort();
}

function recordOf({ caller, requestId: version }: ChangeRequest, settings: Settings): SettingsRecord {
  return { settings, updatedAt: new Date().toISOString(), updatedBy: callerName(caller), version };
}
