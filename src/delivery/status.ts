import { defined } from "../defined.ts";
import { mayHaveArrived } from "../smtp/diagnosis.ts";
import { isContentDeleted, keepsSchedule, type MailRow, type MailState } from "./mail-row.ts";
import { newOf, nextTryAt, type Pause, URGENT_MAX_LIFETIME_MS } from "./pause.ts";
import { type FailureReport, NOT_TRIED, parseReport } from "./report.ts";

/** What a caller may know of a message: neither its recipient nor its content. Times are RFC 3339 in UTC. */
export interface MailStatus {
  id: string;
  state: MailState;
  /** Attempts since the message was queued. Waiting for the server or the settings costs none. */
  attempts: number;
  createdAt: string;
  expiresAt: string;
  /** While it waits. */
  nextAttemptAt?: string;
  /** What the whole outbox waits for, while it waits. */
  waitingFor?: Pause["waitingFor"];
  /** Of the message, once its content has been sent. */
  messageId?: string;
  tag?: string;
  /** That its content is deleted, so it cannot be retried. */
  contentDeleted?: true;
  /** Why it waits or has failed: its own last failure, or what every message of the tenant meets. */
  failure?: FailureReport;
}

/** Reports a message's row. */
export function toStatus(row: MailRow, pause: Pause | undefined): MailStatus {
  const isQueued = row.state === "queued";
  const wait = isQueued ? waitOf(row, pause) : undefined;
  const failure = isQueued ? reasonFor(row, pause) : parseReport(row.failure);
  return defined({
    id: row.id,
    state: row.state,
    attempts: row.attempts,
    createdAt: iso(row.created_at),
    expiresAt: iso(row.expires_at),
    nextAttemptAt: isQueued && row.due_at !== null ? iso(nextAttemptOf(row, row.due_at, wait)) : undefined,
    waitingFor: wait?.waitingFor,
    messageId: row.message_id ?? undefined,
    tag: row.tag ?? undefined,
    contentDeleted: isContentDeleted(row) || undefined,
    failure: row.state === "sent" ? undefined : failure,
  });
}

/** Why a message waits: what every message meets, or its own last failure. */
function reasonFor(row: MailRow, pause: Pause | undefined): FailureReport | undefined {
  const wait = waitOf(row, pause);
  const own = parseReport(row.failure);
  return wait?.isOfSession ? wait.failure : (own ?? wait?.failure);
}

/** Why a message has expired: what it waited for, and whether it may have arrived all the same. */
export function reasonOfExpiry(row: MailRow, pause: Pause | undefined): FailureReport {
  const reason = reasonFor(row, pause) ?? NOT_TRIED;
  return row.unknown_outcomes > 0 ? mayHaveArrived(reason) : reason;
}

/** The pause that a message waits for, if it does: one that may have arrived keeps its own schedule in most. */
function waitOf(row: MailRow, pause: Pause | undefined): Pause | undefined {
  return pause?.kind === "delivery" && keepsSchedule(row) ? undefined : pause;
}

function nextAttemptOf(row: MailRow, dueAt: number, wait: Pause | undefined): number {
  if (wait === undefined) return dueAt;
  const isUrgent = row.lifetime_ms <= URGENT_MAX_LIFETIME_MS;
  const isNew = row.tried_at === null && row.created_at > newOf(wait, { isUrgent }).since;
  if (wait.kind === "delivery" && isUrgent && isNew) return dueAt;
  return Math.max(nextTryAt(wait, isUrgent), keepsSchedule(row) ? dueAt : row.created_at);
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
