import { loadConfig } from "./config.ts";
import { maintainOutboxes, type OutboxTask } from "./delivery/outbox-client.ts";
import { type ListedOutbox, listOutboxes } from "./delivery/outbox-entry.ts";
import { reasonOf } from "./errors.ts";
import { runRotation } from "./key-rotation/run-rotation.ts";
import { log } from "./log.ts";
import { type ListedRecord, SettingsStore } from "./settings/store.ts";

/** External operations per run. Workers allow 1,000 per invocation. */
const MAX_OPERATIONS = 900;

/** Operations that a rotation leaves at least, for the outboxes. */
const OUTBOX_OPERATIONS = 100;

/**
 * Runs the cron trigger: rotates keys, then maintains outboxes with the operations that are left.
 *
 * @throws {ConfigError} and {KvError} after logging, so that Cloudflare shows the run as failed
 */
export async function runScheduled(env: Env, now: Date): Promise<void> {
  const listed = await listTenants(env).catch((error: unknown) => {
    log("error", "rotation failed", { reason: reasonOf(error) });
    throw error;
  });
  const { store, settingsKeys, records, outboxes, operations } = listed;
  const left = MAX_OPERATIONS - operations;
  const maxOperations = left - OUTBOX_OPERATIONS;
  const used = await runRotation(
    store,
    env.SMTP_SETTINGS,
    records,
    outboxes,
    settingsKeys,
    now,
    maxOperations,
  );
  await maintainOutboxes(env, tasksOf(records, outboxes), left - used, now);
}

async function listTenants(env: Env) {
  const { settingsKeys } = await loadConfig(env);
  const store = new SettingsStore(env.SMTP_SETTINGS, settingsKeys);
  const [settings, outboxes] = [await store.list(), await listOutboxes(env.SMTP_SETTINGS)];
  const operations = settings.operations + outboxes.operations;
  return { store, settingsKeys, records: settings.records, outboxes: outboxes.outboxes, operations };
}

/** The outboxes of all tenants, ordered by tenant id. Those of tenants with settings may have no entry. */
function tasksOf(records: readonly ListedRecord[], outboxes: readonly ListedOutbox[]): OutboxTask[] {
  const withSettings = new Set(records.map(({ tenant }) => tenant));
  const kids = new Map(outboxes.map((outbox) => [outbox.tenant, outbox.kids]));
  return [...new Set([...withSettings, ...kids.keys()])]
    .sort()
    .map((tenant) => ({ tenant, hasSettings: withSettings.has(tenant), listed: kids.get(tenant) }));
}
