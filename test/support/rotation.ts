import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../src/index.ts";
import { RotationProgress } from "../../src/rotation/progress.ts";
import { type RotationSummary, rotate } from "../../src/rotation/rotate.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { withLog } from "./request-lines.ts";
import { newSettingsKeys } from "./settings-keys.ts";

/** Two keys in the middle of a rotation, and what they are good for. */
export async function newRotation() {
  const { settingsKeys, jwks } = await newSettingsKeys("new", "old");
  const [sealing, old] = settingsKeys;
  if (old === undefined) throw new Error("no old key");
  return {
    jwks,
    /** As `SETTINGS_KEYS` has them during the rotation. */
    secret: JSON.stringify({ keys: jwks }),
    /** As `SETTINGS_KEYS` has them once the old key has been removed. */
    secretAfterwards: JSON.stringify({ keys: jwks.slice(0, 1) }),
    oldKeys: [old] as const,
    newKeys: [sealing] as const,
    keys: settingsKeys,
    /** One run. */
    run: (kv: KVNamespace = env.SMTP_SETTINGS, now = new Date()): Promise<RotationSummary> =>
      rotate(new SettingsStore(kv, settingsKeys), new RotationProgress(kv), ["new", "old"], now),
  };
}

/** What a run by the cron trigger has come to. */
export interface ScheduledRun {
  /** What the handler threw. */
  error: unknown;
  lines: string[];
  entries: Record<string, unknown>[];
}

/** Has the cron trigger go off, with other bindings, and reads the log. */
export async function cronTrigger(changes: Partial<Env>, scheduledTime = new Date()): Promise<ScheduledRun> {
  const controller = createScheduledController({ scheduledTime, cron: "*/10 * * * *" });
  const { result: error, lines } = await withLog(async () => {
    try {
      await worker.scheduled(controller, { ...env, ...changes });
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  });
  return { error, lines, entries: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** What lies in KV for a tenant: the sealed value and its metadata, as they are. */
export async function storedAs(tenant: string) {
  return env.SMTP_SETTINGS.getWithMetadata<{ kid: string; updatedAt: string }>(`smtp:${tenant}`);
}
