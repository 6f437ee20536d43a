import type { Context } from "hono";
import type { AppEnv } from "../context.ts";
import { historyRecorder, type RecordHistory, type TestTarget, truncateTarget } from "../history/record.ts";
import { type SettingsStore, storeOf } from "./store.ts";

/** What operations on settings take from a request. */
export interface SettingsRequest
  extends Pick<AppEnv["Variables"], "tenant" | "caller" | "requestId" | "config"> {
  store: SettingsStore;
  rateLimiter: RateLimit;
  recordHistory: RecordHistory;
  /** Names in the request's log line what a test contacts. */
  logTest(target: TestTarget): void;
}

/** Reads what operations take from Hono's context. */
export function requestOf(c: Context<AppEnv>): SettingsRequest {
  return {
    ...c.var,
    store: storeOf(c),
    rateLimiter: c.env.TEST_RATE_LIMITER,
    recordHistory: historyRecorder(c),
    logTest: (target) => c.set("test", truncateTarget(target)),
  };
}
