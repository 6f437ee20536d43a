import { loadConfig } from "./config.ts";
import { ensureAlarms } from "./delivery/outbox-client.ts";
import { reasonOf } from "./errors.ts";
import { runRotation } from "./key-rotation/run-rotation.ts";
import { log } from "./log.ts";
import { SettingsStore } from "./settings/store.ts";

/** External operations per run. Workers allow 1,000 per invocation. */
const MAX_OPERATIONS = 900;

/** Operations that a rotation leaves at least, for the alarms of outboxes. */
const ALARM_OPERATIONS = 100;

/**
 * Runs the cron trigger: rotates keys, then sets missing alarms with the operations that are left.
 *
 * @throws {ConfigError} and {KvError} after logging, so that Cloudflare shows the run as failed
 */
export async function runScheduled(env: Env, now: Date): Promise<void> {
  const { store, settingsKeys, records, operations } = await listTenants(env).catch((error: unknown) => {
    log("error", "rotation failed", { reason: reasonOf(error) });
    throw error;
  });
  const left = MAX_OPERATIONS - operations;
  const kv = env.SMTP_SETTINGS;
  const used = await runRotation(store, kv, records, settingsKeys, now, left - ALARM_OPERATIONS);
  const tenants = records.map(({ tenant }) => tenant);
  await ensureAlarms(env, tenants, left - used, now);
}

async function listTenants(env: Env) {
  const { settingsKeys } = await loadConfig(env);
  const store = new SettingsStore(env.SMTP_SETTINGS, settingsKeys);
  return { store, settingsKeys, ...(await store.list()) };
}
