import { MIN_TRY_INTERVAL_MS, type newOf, type Selection, URGENT_MAX_LIFETIME_MS } from "./pause.ts";
import type { Trials } from "./retry-policy.ts";
import { type Statement, sql } from "./sql.ts";

/** The columns of a {@link MailRow}, except its state. */
export const COLUMNS = sql`id, tag, created_at, updated_at, expires_at, lifetime_ms, due_at, message_id, failure, size,
  tried_at, attempts, step, deferrals, refusals, refused_at, others_accepted, unknown_outcomes, unknown_since`;

/** Whether a message is urgent. */
export const IS_URGENT = sql`lifetime_ms <= ${URGENT_MAX_LIFETIME_MS}`;

/** What {@link keepsSchedule} says of a row. */
export const KEEPS_SCHEDULE = sql`(unknown_outcomes > 0 AND coalesce(tried_at, 0) < due_at)`;

/**
 * Which messages an application has submitted; all of them if it is `undefined`. Of those from before outboxes knew the
 * application, any may be its own.
 */
export function isOf(application: string | undefined): Statement {
  return sql`(${application} IS NULL OR application IS NULL OR application = ${application})`;
}

/** The columns of a message whose schedule starts again. */
export const RESTARTED = sql`step = 0, deferrals = 0, refusals = 0, refused_at = NULL, others_accepted = 0,
  unknown_outcomes = 0, unknown_since = NULL`;

/** Assigns trials to their columns. */
export function assignmentOf(trials: Trials): Statement {
  return sql`attempts = ${trials.attempts}, step = ${trials.step}, deferrals = ${trials.deferrals},
    refusals = ${trials.refusals}, refused_at = ${trials.refusedAt},
    others_accepted = ${trials.othersAccepted ? 1 : 0}, unknown_outcomes = ${trials.unknownOutcomes},
    unknown_since = ${trials.unknownSince}`;
}

/** Which messages are new to a pause. */
export function conditionOfNew({ since, isUrgent }: ReturnType<typeof newOf>): Statement {
  return sql`tried_at IS NULL AND created_at > ${since} AND (${IS_URGENT}) = ${isUrgent ? 1 : 0}`;
}

/** Which messages a selection has, and in which order. */
export function conditionOf(selection: Selection, now: number): Statement {
  switch (selection.kind) {
    case "due":
      return sql`due_at <= ${now} ORDER BY due_at, id`;
    case "unknown":
      return sql`due_at <= ${now} AND ${KEEPS_SCHEDULE} ORDER BY due_at, id`;
    case "new":
      // With +, SQLite uses the index of waiting messages. Otherwise it reads all records in the order of their ids.
      return sql`${conditionOfNew(selection)} ORDER BY +id`;
    case "any":
      return sql`NOT ${KEEPS_SCHEDULE} AND coalesce(tried_at, 0) <= ${now - MIN_TRY_INTERVAL_MS}
        ORDER BY tried_at IS NOT NULL, NOT (${IS_URGENT}), tried_at, id`;
  }
}
