import type { Context } from "hono";
import type { AppEnv } from "../context.ts";
import { reasonOf } from "../errors.ts";
import { log } from "../log.ts";
import { type HistoryEvent, toHistoryEntry } from "./event.ts";
import { HistoryStore } from "./store.ts";

export { type HistoryEvent, type TestTarget, truncateTarget } from "./event.ts";

/**
 * Records in the tenant's history what `work` has done, once it succeeds. The response neither waits for the
 * entry nor depends on it: a failed write is logged.
 *
 * @param work in progress. Register before awaiting: on disconnect, Workers cancels work not passed to `waitUntil`
 * @param eventOf the event for the outcome; nothing is recorded for `undefined`
 * @returns the outcome of `work`
 */
export type RecordHistory = <Outcome>(
  work: Promise<Outcome>,
  eventOf: (outcome: Outcome) => HistoryEvent | undefined,
) => Promise<Outcome>;

/** Records the history of one request. */
export function historyRecorder(c: Context<AppEnv>): RecordHistory {
  return (work, eventOf) => {
    const recorded = work.then(
      async (outcome) => {
        const event = eventOf(outcome);
        if (event !== undefined) await append(c, event);
      },
      () => {},
    );
    c.executionCtx.waitUntil(recorded);
    return work;
  };
}

async function append(c: Context<AppEnv>, event: HistoryEvent): Promise<void> {
  const { tenant, requestId } = c.var;
  try {
    await new HistoryStore(c.env.SMTP_SETTINGS).append(tenant, toHistoryEntry(event, c.var, new Date()));
  } catch (error) {
    const { action } = event;
    log("error", "history not written", { requestId, tenant, action, reason: reasonOf(error) });
  }
}
