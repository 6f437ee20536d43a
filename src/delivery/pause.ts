import type { FailureReport } from "./report.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Messages that live at most this long are urgent: login codes, mostly. */
export const URGENT_MAX_LIFETIME_MS = HOUR_MS;

/** Delays before the tries of a pause, by its number of failed tries. The last one goes on. */
const DELAYS_MS = {
  delivery: [30, 60, 120, 240, 480, 600].map((seconds) => seconds * SECOND_MS),
  // One try an hour locks no account.
  login: [HOUR_MS],
  // Exchange and others refuse a correct password at random.
  login_that_worked: [2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS],
  logins: [2, 4, 8, 16, 32, 60].map((minutes) => minutes * MINUTE_MS),
  settings: [HOUR_MS],
  // A pause of this kind knows its end.
  login_limit: [MINUTE_MS],
} as const;

/** Longest delay of a pause of deliveries while an urgent message waits. */
const URGENT_MAX_DELAY_MS = 60 * SECOND_MS;

/** Least time between the tries of one message, and between a try and that of a new message that is not urgent. */
export const MIN_TRY_INTERVAL_MS = 30 * SECOND_MS;

/**
 * What a pause waits for. `delivery`: a session, or the acceptance of a message. `login`: a login with a password
 * or token that was rejected. `logins`: a login, after too many for the server. `settings`: a save. `login_limit`: a
 * login, after too many with settings that have never logged in.
 */
export type PauseKind = "delivery" | "login" | "logins" | "settings" | "login_limit";

/** Why and how long an outbox sends almost nothing. */
export interface Pause {
  kind: PauseKind;
  /** What its failure says is at fault. */
  waitingFor: "server" | "settings";
  /** Its beginning, or the last failed session. Messages accepted later are new. */
  since: number;
  /** When its next own try may come, where that is known. */
  until?: number;
  /** The last of its own tries, or its beginning. */
  triedAt: number;
  /** The last try of any message. */
  lastTryAt: number;
  /** Failed tries. */
  tries: number;
  /** Whether these settings have logged in before. */
  loginWorked: boolean;
  /** Whether the failure is that of a session, which every message needs. Otherwise other messages were not accepted. */
  isOfSession: boolean;
  failure: FailureReport;
}

/** What waits in a paused outbox. */
export interface Waiting {
  urgent: boolean;
  /** Whether a message waits that is new in the pause. */
  newUrgent: boolean;
  newOrdinary: boolean;
  /** When the first message is due that keeps its own schedule: its outcome is unknown. */
  unknownDueAt: number | undefined;
  /**
   * The least time at which a message was tried that does not keep its own schedule: 0 if one never was, `undefined` if
   * none waits.
   */
  leastTriedAt: number | undefined;
}

/** When a pause makes its next own try, if a message waits. */
export function nextTryAt({ kind, tries, triedAt, loginWorked, until }: Pause, hasUrgent: boolean): number {
  if (until !== undefined) return until;
  const delays = DELAYS_MS[kind === "login" && loginWorked ? "login_that_worked" : kind];
  const delay = delays[Math.min(tries, delays.length - 1)] ?? HOUR_MS;
  return triedAt + (kind === "delivery" && hasUrgent ? Math.min(delay, URGENT_MAX_DELAY_MS) : delay);
}

/** When a paused outbox has something to do, if ever. */
export function wakeAt(pause: Pause, waiting: Waiting): number | undefined {
  const { unknownDueAt, leastTriedAt } = waiting;
  const own =
    leastTriedAt === undefined
      ? undefined
      : Math.max(nextTryAt(pause, waiting.urgent), leastTriedAt + MIN_TRY_INTERVAL_MS);
  if (pause.kind !== "delivery") {
    return earliest([
      own,
      unknownDueAt === undefined ? undefined : Math.max(unknownDueAt, nextTryAt(pause, false)),
    ]);
  }
  return earliest([
    own,
    unknownDueAt,
    waiting.newUrgent ? 0 : undefined,
    waiting.newOrdinary ? pause.lastTryAt + MIN_TRY_INTERVAL_MS : undefined,
  ]);
}

/** The first of some times, if there is any. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Which of the waiting messages to send. */
export type Selection =
  /** Those that are due, in that order. */
  | { kind: "due" }
  /** Those that are due, and keep their own schedule: their outcome is unknown. */
  | { kind: "unknown" }
  /** Those that have never been tried, and were accepted later. */
  | { kind: "new"; since: number; isUrgent: boolean }
  /** Any but those that keep their own schedule: untried before tried, urgent first, then the one tried longest ago. */
  | { kind: "any" };

/** Which of the waiting messages may be tried now, in this order. */
export function selectionsFor(pause: Pause, waiting: Waiting, now: number): Selection[] {
  const isOwnTry = now >= nextTryAt(pause, waiting.urgent);
  const own: Selection[] = isOwnTry ? [{ kind: "any" }] : [];
  if (pause.kind !== "delivery") return isOwnTry ? [...own, { kind: "unknown" }] : [];
  const mayTryOrdinary = now >= pause.lastTryAt + MIN_TRY_INTERVAL_MS;
  const ordinary: Selection[] = mayTryOrdinary ? [{ kind: "new", ...newOf(pause, { isUrgent: false }) }] : [];
  return [{ kind: "new", ...newOf(pause, { isUrgent: true }) }, { kind: "unknown" }, ...own, ...ordinary];
}

/**
 * Which untried messages are new to a pause. A failed session was a try for all messages accepted until then;
 * messages that were not accepted say nothing about urgent ones that have not been tried.
 */
export function newOf(
  { since, isOfSession }: Pause,
  { isUrgent }: { isUrgent: boolean },
): { since: number; isUrgent: boolean } {
  return { since: isUrgent && !isOfSession ? 0 : since, isUrgent };
}

/** A failed attempt that begins a pause, or that a pause has made. */
export interface FailedTry
  extends Pick<Pause, "kind" | "waitingFor" | "failure" | "loginWorked" | "isOfSession"> {
  /** Whether it was one of the pause's own tries. */
  isOwn: boolean;
  /** When it began: messages accepted later had no part in it. */
  startedAt: number;
}

/** A try that failed for a reason that no SMTP server has given. */
export function ownFailure(
  kind: "delivery" | "settings" | "login_limit",
  failure: FailureReport,
  now: number,
): FailedTry {
  const waitingFor = kind === "delivery" ? "server" : "settings";
  return { kind, waitingFor, failure, loginWorked: false, isOfSession: true, isOwn: true, startedAt: now };
}

/** The pause after a failed attempt. */
export function pauseAfter(previous: Pause | undefined, failed: FailedTry, now: number): Pause {
  const { isOwn, startedAt, ...reason } = failed;
  const kind = previous?.kind ?? failed.kind;
  // A rejected login is not tried sooner because the server fails in another way meanwhile.
  const lasts = kind === "login" || (kind === "logins" && failed.kind === "delivery") || kind === failed.kind;
  if (previous === undefined || !lasts) {
    return { ...reason, since: startedAt, triedAt: now, lastTryAt: now, tries: 0 };
  }
  return {
    ...previous,
    waitingFor: failed.waitingFor,
    failure: failed.failure,
    isOfSession: failed.isOfSession,
    // A failed session needs no other try by the messages accepted until then.
    since: failed.isOfSession ? startedAt : previous.since,
    lastTryAt: now,
    triedAt: isOwn ? now : previous.triedAt,
    tries: previous.tries + (isOwn ? 1 : 0),
  };
}
