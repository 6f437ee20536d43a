import { causeOfRejection } from "../smtp/rejection.ts";
import { parseReply } from "../smtp/reply.ts";
import type { SmtpFailure, Stage } from "../smtp/result.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Delays before the attempts of one mail (RFC 5321 section 4.5.4.1 asks for two in the first hour, then fewer). */
const RETRY_DELAYS_MS = [1, 5, 15, 30, 60, 120].map((minutes) => minutes * MINUTE_MS);

/** Delay of all later attempts. */
const LAST_RETRY_DELAY_MS = 4 * HOUR_MS;

/** Shortest and longest pause for a server that fails. */
const SERVER_PAUSE_MS = { first: 30_000, longest: 30 * MINUTE_MS };

/** Pause for settings that cannot work: one attempt per hour locks no account. */
const SETTINGS_PAUSE_MS = HOUR_MS;

/** Retries of a mail that may have arrived. Each one may double it. */
const MAX_DOUBTFUL_RETRIES = 2;

/** A mail after an attempt. */
export interface AttemptedMail {
  /** Attempts, this one included. */
  attempts: number;
  /** Attempts before this one whose outcome is unknown. */
  doubts: number;
  expiresAt: number;
}

/** A failed attempt to send a mail. */
export interface FailedAttempt {
  failure: SmtpFailure;
  /** Whether the content has left, so that it may have arrived. */
  contentSent: boolean;
  mail: AttemptedMail;
  /** Whether the session sent user and password. */
  authenticated: boolean;
  /** Consecutive failures of the server before this one. */
  serverFailures: number;
}

/** Stops the outbox. No mail's attempt counts. */
export interface PauseDecision {
  action: "pause";
  waitingFor: "server" | "settings";
  until: number;
  /** Consecutive failures of the server. */
  failures: number;
}

/** What to do with a mail after a failed attempt. */
export type MailDecision =
  | { action: "retry"; at: number; doubts: number }
  | { action: "fail"; mayHaveArrived: boolean };

/** Decides by what failed: the server, the settings, or this mail. */
export function decide(attempt: FailedAttempt, now: number): PauseDecision | MailDecision {
  const { failure, contentSent, mail, authenticated, serverFailures } = attempt;
  if (contentSent && failure.kind !== "reply") return decideDoubtful(mail, now);
  switch (causeOf(failure, authenticated)) {
    case "server":
      return pauseForServer(serverFailures, now);
    case "settings":
      return pauseForSettings(now);
    case "mail":
      return isTemporary(failure) ? retry(mail, now) : { action: "fail", mayHaveArrived: false };
  }
}

/** Decides on a session that does not open: no mail is involved. */
export function decideUnopened(failure: SmtpFailure, serverFailures: number, now: number): PauseDecision {
  return causeOf(failure, true) === "settings" ? pauseForSettings(now) : pauseForServer(serverFailures, now);
}

/** Decides on a mail whose outcome is unknown: in doubt, a second copy of a code hurts less than none. */
export function decideDoubtful(mail: AttemptedMail, now: number): MailDecision {
  const doubts = mail.doubts + 1;
  return doubts > MAX_DOUBTFUL_RETRIES
    ? { action: "fail", mayHaveArrived: true }
    : retry({ ...mail, doubts }, now);
}

/** The next attempt of a mail, on its own schedule. It expires in place of one that would come later. */
export function retry({ attempts, doubts, expiresAt }: AttemptedMail, now: number): MailDecision {
  const delay = RETRY_DELAYS_MS[attempts - 1] ?? LAST_RETRY_DELAY_MS;
  return { action: "retry", at: Math.min(now + delay, expiresAt), doubts };
}

/** The pause after another failure of the server. */
export function pauseForServer(failures: number, now: number): PauseDecision {
  const { first, longest } = SERVER_PAUSE_MS;
  const until = now + Math.min(first * 2 ** failures, longest);
  return { action: "pause", waitingFor: "server", until, failures: failures + 1 };
}

/** The pause until settings are saved. */
export function pauseForSettings(now: number): PauseDecision {
  return { action: "pause", waitingFor: "settings", until: now + SETTINGS_PAUSE_MS, failures: 0 };
}

function isTemporary({ reply }: SmtpFailure): boolean {
  return reply?.startsWith("4") ?? false;
}

function causeOf(failure: SmtpFailure, authenticated: boolean): "server" | "settings" | "mail" {
  switch (failure.kind) {
    case "forbidden_destination":
    case "credentials_need_tls":
    case "authentication_not_offered":
    case "token_forbidden":
    case "token_rejected":
    case "token_missing":
      return "settings";
    case "too_large":
    case "smtputf8_not_offered":
      return "mail";
    case "reply":
      return causeOfReply(failure.stage, failure.reply ?? "", authenticated);
    default:
      return "server";
  }
}

function causeOfReply(stage: Stage, reply: string, authenticated: boolean): "server" | "settings" | "mail" {
  const { code, enhancedCode = "" } = parseReply(reply);
  if (code === 421 || stage === "connect" || stage === "greeting" || stage === "tls") return "server";
  if (stage === "authentication") return code < 500 ? "server" : "settings";
  // RFC 3463 section 3.4: the system is full, or accepts no mail.
  if (/^4\.3\.[12]$/.test(enhancedCode)) return "server";
  switch (causeOfRejection(reply, { authenticated })) {
    case "authentication":
      return "settings";
    case "account":
    case "throttling":
      return "server";
    case "sender":
      // A temporary refusal may pass, unless the sender's address or domain is wrong (RFC 3463 section 3.2).
      return code >= 500 || /^4\.1\.[78]$/.test(enhancedCode) ? "settings" : "mail";
    case "other":
      return "mail";
  }
}
