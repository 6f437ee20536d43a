import type { Config } from "../config.ts";
import { reasonOf } from "../errors.ts";
import { SettingsStore } from "../settings/store.ts";
import { fingerprint, seal } from "../storage/sealing.ts";
import type { Outbox } from "./outbox.ts";
import type { Mail } from "./schema.ts";
import type { AcceptResult } from "./store.ts";

/** Interval of the cron trigger in wrangler.toml, in milliseconds. */
const CRON_INTERVAL_MS = 10 * 60_000;

/** The outbox of a tenant. */
export function outboxOf(env: Env, tenant: string): DurableObjectStub<Outbox> {
  return env.OUTBOX.getByName(tenant);
}

/**
 * Hands settings that were just saved, or `undefined` after a delete, to the tenant's outbox. Never fails: the
 * outbox reads KV two minutes later anyway.
 */
export async function handOverSettings(env: Env, tenant: string, jwe: string | undefined): Promise<void> {
  try {
    await outboxOf(env, tenant).settingsChanged(jwe);
  } catch (error) {
    console.error(JSON.stringify({ message: "settings not handed over", tenant, reason: reasonOf(error) }));
  }
}

/** Sets the alarms of outboxes whose alarm is lost: a part of all tenants in each run, in turn. */
export async function rearmOutboxes(
  env: Env,
  tenants: readonly string[],
  size: number,
  now: Date,
): Promise<void> {
  const run = Math.floor(now.getTime() / CRON_INTERVAL_MS);
  const start = (run * size) % Math.max(1, tenants.length);
  for (const tenant of [...tenants.slice(start), ...tenants.slice(0, start)].slice(0, size)) {
    try {
      await outboxOf(env, tenant).rearm();
    } catch (error) {
      console.error(JSON.stringify({ message: "outbox not rearmed", tenant, reason: reasonOf(error) }));
    }
  }
}

/**
 * Submits mails to a tenant's outbox, all or none. They are durable, and nobody has been contacted, when this
 * returns.
 *
 * @param idempotencyKey counts once in 7 days
 * @throws {KvError}
 * @throws {SealingError}
 */
export async function submit(
  env: Env,
  { settingsKeys }: Config,
  tenant: string,
  mails: readonly Mail[],
  idempotencyKey: string | undefined,
): Promise<AcceptResult | { kind: "nothing_stored" }> {
  const settings = await new SettingsStore(env.SMTP_SETTINGS, settingsKeys).read(tenant);
  const sealed = await Promise.all(
    mails.map(async ({ tag, expiresIn, ...mail }) => ({
      content: (await seal(tenant, { mail }, settingsKeys)).jwe,
      tag,
      lifetimeMs: expiresIn * 1000,
    })),
  );
  const idempotency =
    idempotencyKey === undefined
      ? undefined
      : { key: idempotencyKey, fingerprints: await fingerprint(JSON.stringify(mails), settingsKeys) };
  return outboxOf(env, tenant).accept(sealed, idempotency, settings !== undefined);
}
