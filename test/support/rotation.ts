import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { listOutboxes } from "../../src/delivery/outbox-entry.ts";
import worker from "../../src/index.ts";
import { RotationCursor } from "../../src/key-rotation/cursor.ts";
import { rotate } from "../../src/key-rotation/rotate.ts";
import { SettingsStore } from "../../src/settings/store.ts";
import { captureLog } from "./log.ts";
import { LONG_AGO } from "./records.ts";
import { newSettingsKeys } from "./settings-keys.ts";

interface RunOptions {
  kv?: KVNamespace;
  now?: Date;
  /** Those of the list included. Default: as in production. */
  maxOperations?: number;
  /** The sealing key first. */
  kids?: readonly [string, ...string[]];
}

/**
 * Creates the settings keys of a rotation, in each form that a test needs.
 *
 * @param oldRetiredAt when a run first saw that the old key no longer seals; `null` if none has
 */
export async function newRotation({ oldRetiredAt = LONG_AGO }: { oldRetiredAt?: string | null } = {}) {
  const { settingsKeys, jwks } = await newSettingsKeys("new", "old");
  const [sealing, old] = settingsKeys;
  if (old === undefined) throw new Error("no old key");
  if (oldRetiredAt !== null) {
    await new RotationCursor(env.SMTP_SETTINGS).write({ retired: { old: oldRetiredAt } });
  }
  return {
    jwks,
    /** `SETTINGS_KEYS` during the rotation. */
    secret: JSON.stringify({ keys: jwks }),
    /** `SETTINGS_KEYS` once the old key has been removed. */
    secretAfterwards: JSON.stringify({ keys: jwks.slice(0, 1) }),
    oldKeys: [old] as const,
    newKeys: [sealing] as const,
    keys: settingsKeys,
    /** Runs the rotation once. */
    run: async ({
      kv = env.SMTP_SETTINGS,
      now = new Date(),
      maxOperations = 800,
      kids = ["new", "old"],
    }: RunOptions = {}) => {
      const store = new SettingsStore(kv, settingsKeys);
      const { records, operations } = await store.list();
      const listed = await listOutboxes(kv);
      const left = maxOperations - operations - listed.operations;
      return rotate(store, records, listed.outboxes, new RotationCursor(kv), kids, now, left);
    },
  };
}

/** The outcome of a run by the cron trigger. */
interface ScheduledRun {
  /** What the handler threw, if anything. */
  error: unknown;
  lines: string[];
  entries: Record<string, unknown>[];
}

/** Fires the cron trigger, with changed bindings, and captures the log. */
export async function cronTrigger(changes: Partial<Env>, scheduledTime = new Date()): Promise<ScheduledRun> {
  const controller = createScheduledController({ scheduledTime, cron: "*/10 * * * *" });
  const { result: error, lines } = await captureLog(async () => {
    try {
      await worker.scheduled(controller, { ...env, ...changes });
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  });
  return { error, lines, entries: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** A tenant's stored value and its metadata. */
export async function storedAs(tenant: string) {
  return env.SMTP_SETTINGS.getWithMetadata<{ kid: string; updatedAt: string }>(`smtp:${tenant}`);
}
