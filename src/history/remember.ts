import type { Context } from "hono";
import { reasonOf } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { type Action, historyEntry } from "./entry.ts";
import { HistoryStore } from "./store.ts";

/** What is to be noted of something done. */
export interface Deed {
  action: Action;
  /** Names of the fields that a save has changed. */
  changed?: string[] | undefined;
}

/**
 * Notes in the tenant's history what a request is doing, once it is done. Called before it is done, so that a
 * caller who hangs up, which cancels whatever the runtime was not told of, leaves an entry nonetheless. The
 * answer neither waits for the entry nor depends on it: a history that cannot be written is logged.
 *
 * @param deed is what comes of the work under way; nothing is noted where it fails or gives `undefined`
 */
export function remember(c: Context<AppEnv>, deed: Promise<Deed | undefined>): void {
  const { tenant, requestId } = c.var;
  const noted = deed.then(
    async (done) => {
      if (done === undefined) return;
      const { action, changed } = done;
      const entry = historyEntry(action, c.var, new Date(), changed);
      await new HistoryStore(c.env.SMTP_SETTINGS).append(tenant, entry).catch((error: unknown) => {
        const reason = reasonOf(error);
        console.error(JSON.stringify({ message: "history not written", requestId, tenant, action, reason }));
      });
    },
    () => {},
  );
  c.executionCtx.waitUntil(noted);
}
