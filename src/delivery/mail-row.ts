import type { AttemptedMessage } from "./retry-policy.ts";

/** States of a message. The last four are final. */
export const MAIL_STATES = ["queued", "sending", "sent", "failed", "expired", "canceled"] as const;

export type MailState = (typeof MAIL_STATES)[number];

/** A message as its row holds it. `docs/storage.md` lists the columns. */
export interface MailRow {
  id: string;
  state: MailState;
  tag: string | null;
  created_at: number;
  updated_at: number;
  expires_at: number;
  lifetime_ms: number;
  /** Next attempt; null in a final state. */
  due_at: number | null;
  message_id: string | null;
  /** The last failure, as JSON. */
  failure: string | null;
  /** Size of the content in bytes; 0 once it is deleted. */
  size: number;
  /** The last try to send it, even if no session opened. */
  tried_at: number | null;
  attempts: number;
  step: number;
  deferrals: number;
  refusals: number;
  refused_at: number | null;
  others_accepted: number;
  unknown_outcomes: number;
  unknown_since: number | null;
}

/** Whether the state of a message allows a retry by hand: until its record is deleted, its content is kept for one. */
export function mayBeRetried({ state }: Pick<MailRow, "state">): boolean {
  return state === "failed" || state === "expired";
}

/** Whether the content of a message is deleted that its state alone would keep. */
export function isContentDeleted(mail: Pick<MailRow, "state" | "size">): boolean {
  return mayBeRetried(mail) && mail.size === 0;
}

/** A message that is being sent. */
export type ClaimedMail = MailRow & { content: string };

/** A message as the retry policy sees it. */
export function toAttempted(row: MailRow): AttemptedMessage {
  const trials = {
    attempts: row.attempts,
    step: row.step,
    deferrals: row.deferrals,
    refusals: row.refusals,
    refusedAt: row.refused_at ?? undefined,
    othersAccepted: row.others_accepted === 1,
    unknownOutcomes: row.unknown_outcomes,
    unknownSince: row.unknown_since ?? undefined,
  };
  return { trials, expiresAt: row.expires_at, lifetimeMs: row.lifetime_ms };
}

/**
 * Whether a message of unknown outcome keeps its own schedule during a pause. Once it was tried in vain, because no
 * session opened, it waits like the others.
 */
export function keepsSchedule({
  unknown_outcomes,
  tried_at,
  due_at,
}: Pick<MailRow, "unknown_outcomes" | "tried_at" | "due_at">): boolean {
  return unknown_outcomes > 0 && (tried_at ?? 0) < (due_at ?? 0);
}
