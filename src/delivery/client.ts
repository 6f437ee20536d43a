import type { Config } from "../config.ts";
import { ApiError, reasonOf } from "../errors.ts";
import { log } from "../log.ts";
import { SettingsStore } from "../settings/store.ts";
import { fingerprint, seal } from "../storage/sealing.ts";
import type { AcceptResult } from "./mail-store.ts";
import type { Outbox } from "./outbox.ts";
import type { Mail } from "./schema.ts";

/** Interval of the cron trigger in wrangler.toml, in milliseconds. */
const CRON_INTERVAL_MS = 10 * 60_000;

/**
 * Calls the outbox of a tenant.
 *
 * @throws {ApiError} `outbox_unavailable` while Cloudflare restarts or moves the object
 * @see https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function callOutbox<Result>(
  env: Env,
  tenant: string,
  call: (outbox: DurableObjectStub<Outbox>) => Promise<Result>,
): Promise<Result> {
  try {
    return await call(env.OUTBOX.getByName(tenant));
  } catch (error) {
    const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
    if (!retryable && !overloaded) throw error;
    const reason = overloaded ? "the outbox is overloaded" : "the outbox restarts";
    throw new ApiError("outbox_unavailable", { reason });
  }
}

/**
 * Hands settings that were just saved, or `undefined` after a delete, to the tenant's outbox. Never fails: the
 * outbox reads KV two minutes later anyway.
 */
export async function handOverSettings(env: Env, tenant: string, jwe: string | undefined): Promise<void> {
  try {
    const at = Date.now();
    await callOutbox(env, tenant, (outbox) => outbox.settingsChanged(jwe, at));
  } catch (error) {
    log("error", "settings not handed over", { tenant, reason: reasonOf(error) });
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
      await callOutbox(env, tenant, (outbox) => outbox.rearm());
    } catch (error) {
      log("error", "outbox not rearmed", { tenant, reason: reasonOf(error) });
    }
  }
}

/**
 * Submits one mail, or several that are accepted or rejected as one, to a tenant's outbox. They are durable, and
 * nobody has been contacted, when this returns.
 *
 * @param idempotencyKey counts once in 7 days
 * @throws {ApiError} `nothing_stored`, `idempotency_key_reused`, `outbox_full`, `outbox_unavailable`
 * @throws {KvError}
 * @throws {SealingError}
 */
export async function submit(
  env: Env,
  { settingsKeys }: Config,
  tenant: string,
  sent: Mail | readonly Mail[],
  idempotencyKey: string | undefined,
): Promise<AcceptResult & { kind: "accepted" }> {
  const settings = await new SettingsStore(env.SMTP_SETTINGS, settingsKeys).read(tenant);
  const mails = "to" in sent ? [sent] : sent;
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
      : { key: idempotencyKey, fingerprints: await fingerprint(JSON.stringify(sent), settingsKeys) };
  const isStored = settings !== undefined;
  const result = await callOutbox<AcceptResult>(env, tenant, (outbox) =>
    outbox.accept(sealed, idempotency, isStored),
  );
  switch (result.kind) {
    case "nothing_stored":
      throw new ApiError("nothing_stored");
    case "key_reused":
      throw new ApiError("idempotency_key_reused");
    case "full":
      throw new ApiError("outbox_full");
    case "accepted":
      return result;
  }
}
