import { loadConfig } from "../config.ts";
import { reasonOf } from "../errors.ts";
import { SettingsStore } from "../settings/store.ts";
import { RotationProgress } from "./progress.ts";
import { rotate } from "./rotate.ts";

/**
 * Runs a rotation, and logs its summary and each record that failed.
 *
 * @throws {RefusedError} `misconfigured`, `store_unavailable`, once it is logged: Cloudflare then shows the
 * run as failed
 */
export async function runRotation(env: Env, now: Date): Promise<void> {
  try {
    const { settingsKeys } = await loadConfig(env);
    const [{ kid: sealing }, ...older] = settingsKeys;
    const store = new SettingsStore(env.SMTP_SETTINGS, settingsKeys);
    const progress = new RotationProgress(env.SMTP_SETTINGS);
    const { failures, ...summary } = await rotate(
      store,
      progress,
      [sealing, ...older.map(({ kid }) => kid)],
      now,
    );
    for (const failure of failures)
      console.error(JSON.stringify({ message: "record not rotated", ...failure }));
    const advice = summary.removable.map((kid) => `The key ${kid} can be removed from SETTINGS_KEYS.`);
    console.info(JSON.stringify({ message: "rotation", ...summary, failed: failures.length, advice }));
  } catch (error) {
    console.error(JSON.stringify({ message: "rotation failed", reason: reasonOf(error) }));
    throw error;
  }
}
