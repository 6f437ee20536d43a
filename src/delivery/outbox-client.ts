import { ApiError, reasonOf } from "../errors.ts";
import { log } from "../log.ts";
import type { Outbox } from "./outbox.ts";
import type { LatestSettings } from "./outbox-state.ts";

/** Interval of the cron trigger in wrangler.toml, in milliseconds. */
const CRON_INTERVAL_MS = 10 * 60_000;

/** Delay before a call is repeated, in milliseconds. Its random part keeps callers from returning together. */
const REPEAT_DELAY_MS = { min: 50, random: 100 };

/**
 * Calls the outbox of a tenant.
 *
 * Cloudflare repeats a call by itself if it has not reached the object. An error that is `retryable` all the same may
 * come after the call was executed, so only an idempotent one is repeated: once, over a new stub, as the error may have
 * broken the old one. An overloaded object gets no more calls.
 *
 * @param isIdempotent whether executing the call twice is as good as once
 * @throws {ApiError} `outbox_unavailable` while Cloudflare restarts or moves the object
 * @see https://developers.cloudflare.com/durable-objects/best-practices/automatic-retries/
 * @see https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function callOutbox<Result>(
  env: Env,
  tenant: string,
  call: (outbox: DurableObjectStub<Outbox>) => Promise<Result>,
  { isIdempotent }: { isIdempotent: boolean },
): Promise<Result> {
  try {
    return await call(env.OUTBOX.getByName(tenant));
  } catch (error) {
    if (!isIdempotent || !isRetryable(error)) throw toUnavailable(error);
  }
  await scheduler.wait(REPEAT_DELAY_MS.min + Math.random() * REPEAT_DELAY_MS.random);
  return call(env.OUTBOX.getByName(tenant)).catch((error: unknown) => {
    throw toUnavailable(error);
  });
}

/**
 * Notifies the tenant's outbox of settings that were just saved, or deleted if `undefined`. Never fails: the outbox
 * reads KV two minutes later anyway.
 */
export async function notifyOutbox(env: Env, tenant: string, jwe: string | undefined): Promise<void> {
  try {
    const at = Date.now();
    await callOutbox(env, tenant, (outbox) => outbox.settingsChanged(jwe, at), { isIdempotent: true });
  } catch (error) {
    log("error", "outbox not notified", { tenant, reason: reasonOf(error) });
  }
}

/**
 * Asks the tenant's outbox for the settings that it was notified of in the last two minutes.
 *
 * @returns `undefined` if there are none
 * @throws {ApiError} `outbox_unavailable`
 */
export function recentSettings(env: Env, tenant: string): Promise<LatestSettings | undefined> {
  return callOutbox(env, tenant, async (outbox) => outbox.recentSettings(), { isIdempotent: true });
}

/** An outbox to maintain, as KV lists its tenant. */
export interface OutboxTask {
  tenant: string;
  hasSettings: boolean;
  /** The keys that the entry of the outbox names, if there is one. */
  listed: readonly string[] | undefined;
}

/** Sets the alarms of outboxes whose alarm is lost, and updates their entries: a part of them in each run, in turn. */
export async function maintainOutboxes(
  env: Env,
  tasks: readonly OutboxTask[],
  size: number,
  now: Date,
): Promise<void> {
  const run = Math.floor(now.getTime() / CRON_INTERVAL_MS);
  const start = (run * size) % Math.max(1, tasks.length);
  for (const task of [...tasks.slice(start), ...tasks.slice(0, start)].slice(0, size)) {
    const { tenant, hasSettings, listed } = task;
    try {
      // Not repeated, as each call costs an operation: the next run follows.
      await callOutbox(env, tenant, (outbox) => outbox.maintain(hasSettings, listed), {
        isIdempotent: false,
      });
    } catch (error) {
      log("error", "outbox not maintained", { tenant, reason: reasonOf(error) });
    }
  }
}

interface OutboxError {
  retryable?: boolean;
  overloaded?: boolean;
}

function isRetryable(error: unknown): boolean {
  const { retryable, overloaded } = error as OutboxError;
  return retryable === true && !overloaded;
}

/** Other errors are unexpected. */
function toUnavailable(error: unknown): unknown {
  const { retryable, overloaded } = error as OutboxError;
  if (!retryable && !overloaded) return error;
  const reason = overloaded ? "the outbox is overloaded" : "the outbox restarts";
  return new ApiError("outbox_unavailable", { reason });
}
