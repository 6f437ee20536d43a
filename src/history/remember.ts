import type { Context } from "hono";
import { reasonOf } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { type Action, historyEntry } from "./entry.ts";
import { HistoryStore } from "./store.ts";

/**
 * Notes in the tenant's history what a request has done. This goes on after the answer, which neither waits
 * for it nor depends on it: a history that cannot be written is logged.
 */
export function remember(c: Context<AppEnv>, action: Action, changed?: string[]): void {
  const { tenant, requestId } = c.var;
  const entry = historyEntry(action, c.var, new Date(), changed);
  const written = new HistoryStore(c.env.SMTP_SETTINGS).append(tenant, entry).catch((error: unknown) => {
    const reason = reasonOf(error);
    console.error(JSON.stringify({ message: "history not written", requestId, tenant, action, reason }));
  });
  c.executionCtx.waitUntil(written);
}
