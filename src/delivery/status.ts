import type { FailureReport } from "./report.ts";
import type { MailRow, MailState, Pause } from "./store.ts";

/** What a caller may know of a mail: neither its recipient nor its content. Times are RFC 3339 in UTC. */
export interface MailStatus {
  id: string;
  state: MailState;
  /** Attempts since the mail was queued. Waiting for the server or the settings costs none. */
  attempts: number;
  createdAt: string;
  expiresAt: string;
  /** While it waits. */
  nextAttemptAt?: string;
  /** What the whole outbox waits for, while it waits. */
  waitingFor?: Pause["waitingFor"];
  /** Of the mail, once its content has been sent. */
  messageId?: string;
  tag?: string;
  /** The last failure, of this mail or of the outbox that it waits in. */
  failure?: FailureReport;
}

/** Reports a mail's row. */
export function toStatus(row: MailRow, pause: Pause | undefined): MailStatus {
  const isPaused = row.state === "queued" && pause !== undefined && pause.until >= (row.due_at ?? 0);
  const failure = (isPaused ? pause.failure : undefined) ?? parseFailure(row.failure);
  return {
    id: row.id,
    state: row.state,
    attempts: row.attempts,
    createdAt: iso(row.created_at),
    expiresAt: iso(row.expires_at),
    ...(row.state === "queued" && row.due_at !== null
      ? { nextAttemptAt: iso(Math.max(row.due_at, pause?.until ?? 0)) }
      : {}),
    ...(isPaused ? { waitingFor: pause.waitingFor } : {}),
    ...(row.message_id === null ? {} : { messageId: row.message_id }),
    ...(row.tag === null ? {} : { tag: row.tag }),
    ...(failure === undefined || row.state === "sent" ? {} : { failure }),
  };
}

function parseFailure(json: string | null): FailureReport | undefined {
  return json === null ? undefined : JSON.parse(json);
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
