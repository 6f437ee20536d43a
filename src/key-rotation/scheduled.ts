import { loadConfig } from "../config.ts";
import { reasonOf } from "../errors.ts";
import { log } from "../log.ts";
import { SettingsStore } from "../settings/store.ts";
import { RotationCursor } from "./cursor.ts";
import { ROTATION_MAX_OPERATIONS, rotate } from "./rotate.ts";

/** Operations that a rotation leaves at least, for the alarms of outboxes. */
const RESERVED_OPERATIONS = 100;

/**
 * Runs a rotation, and logs its summary and each record that failed.
 *
 * @returns the tenants with settings, and how many operations the invocation has left
 * @throws {ConfigError} and {KvError} after logging, so that Cloudflare shows the run as failed
 */
export async function runRotation(
  env: Env,
  now: Date,
): Promise<{ tenants: string[]; operationsLeft: number }> {
  try {
    const { settingsKeys } = await loadConfig(env);
    const [{ kid: sealing }, ...older] = settingsKeys;
    const store = new SettingsStore(env.SMTP_SETTINGS, settingsKeys);
    const cursor = new RotationCursor(env.SMTP_SETTINGS);
    const kids = [sealing, ...older.map(({ kid }) => kid)] as const;
    const { failures, tenants, operations, ...summary } = await rotate(
      store,
      cursor,
      kids,
      now,
      ROTATION_MAX_OPERATIONS - RESERVED_OPERATIONS,
    );
    for (const failure of failures) log("error", "record not rotated", failure);
    const advice = summary.removable.map((kid) => `The key ${kid} can be removed from SETTINGS_KEYS.`);
    log("info", "rotation", { ...summary, failed: failures.length, advice });
    return { tenants, operationsLeft: ROTATION_MAX_OPERATIONS - operations };
  } catch (error) {
    log("error", "rotation failed", { reason: reasonOf(error) });
    throw error;
  }
}
