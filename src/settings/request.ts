import type { Context } from "hono";
import type { AppEnv } from "../context.ts";
import { historyRecorder, type RecordHistory, type TestTarget, truncateTarget } from "../history/record.ts";
import type { SmtpResult } from "../smtp/result.ts";
import type { SealingKeys } from "../storage/sealing.ts";
import type { Settings } from "./schema.ts";
import { type SettingsStore, storeOf } from "./store.ts";

/**
 * Runs a session, unless too many logins have been tried with settings that have never logged in.
 *
 * @throws {ApiError} `too_many_logins`, `outbox_unavailable`
 */
type WithLoginLimit = (settings: Settings, session: () => Promise<SmtpResult>) => Promise<SmtpResult>;

/** {@link WithLoginLimit} of any tenant. */
export type LimitLogins = (
  env: Env,
  login: { tenant: string; settings: Settings; keys: SealingKeys },
  session: () => Promise<SmtpResult>,
) => Promise<SmtpResult>;

/** What operations on settings take from a request. */
export interface SettingsRequest
  extends Pick<AppEnv["Variables"], "tenant" | "caller" | "requestId" | "config"> {
  store: SettingsStore;
  rateLimiter: RateLimit;
  withLoginLimit: WithLoginLimit;
  recordHistory: RecordHistory;
  /** Names in the request's log line what a test contacts. */
  logTest(target: TestTarget): void;
}

/** Reads what operations take from Hono's context. */
export function requestOf(c: Context<AppEnv>, limitLogins: LimitLogins): SettingsRequest {
  const { tenant, config } = c.var;
  return {
    ...c.var,
    withLoginLimit: (settings, session) =>
      limitLogins(c.env, { tenant, settings, keys: config.settingsKeys }, session),
    store: storeOf(c),
    rateLimiter: c.env.TEST_RATE_LIMITER,
    recordHistory: historyRecorder(c),
    logTest: (target) => c.set("test", truncateTarget(target)),
  };
}
