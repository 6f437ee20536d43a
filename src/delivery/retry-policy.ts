import { causeOfRejection } from "../smtp/rejection.ts";
import { parseReply, type Reply } from "../smtp/reply.ts";
import type { SmtpFailure } from "../smtp/result.ts";

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

/** A failed attempt to send a mail. */
export interface FailedAttempt {
  failure: SmtpFailure;
  /** Whether the whole message has left, so that it may have arrived. */
  messageSent: boolean;
  mail: { attempts: number; doubts: number; expiresAt: number };
  /** Consecutive failures of the server before this one. */
  serverFailures: number;
}

/** What to do after a failed attempt. Only `retry` and `fail` count as an attempt of the mail. */
export type Decision =
  | { action: "pause"; waitingFor: "server" | "settings"; until: number; failures: number }
  | { action: "retry"; at: number; doubts: number }
  | { action: "fail"; mayHaveArrived: boolean };

/** Decides by what failed: the server, the settings, or this mail. */
export function decide(attempt: FailedAttempt, now: number): Decision {
  const { failure, messageSent, mail, serverFailures } = attempt;
  if (messageSent && failure.kind !== "reply") return decideDoubtful(mail, now);
  switch (causeOf(failure)) {
    case "server":
      return pauseForServer(serverFailures, now);
    case "settings":
      return pauseForSettings(now);
    case "mail":
      return isTemporary(failure)
        ? { action: "retry", at: nextAttempt(mail, now), doubts: mail.doubts }
        : { action: "fail", mayHaveArrived: false };
  }
}

/** Decides on a mail whose outcome is unknown: in doubt, a second copy of a code hurts less than none. */
export function decideDoubtful(mail: FailedAttempt["mail"], now: number): Decision {
  const doubts = mail.doubts + 1;
  if (doubts > MAX_DOUBTFUL_RETRIES) return { action: "fail", mayHaveArrived: true };
  return { action: "retry", at: nextAttempt(mail, now), doubts };
}

/** The pause after another failure of the server. */
export function pauseForServer(failures: number, now: number): Decision & { action: "pause" } {
  const { first, longest } = SERVER_PAUSE_MS;
  const until = now + Math.min(first * 2 ** failures, longest);
  return { action: "pause", waitingFor: "server", until, failures: failures + 1 };
}

/** The pause until settings are saved. */
export function pauseForSettings(now: number): Decision & { action: "pause" } {
  return { action: "pause", waitingFor: "settings", until: now + SETTINGS_PAUSE_MS, failures: 0 };
}

function nextAttempt({ attempts, expiresAt }: FailedAttempt["mail"], now: number): number {
  return Math.min(now + (RETRY_DELAYS_MS[attempts - 1] ?? LAST_RETRY_DELAY_MS), expiresAt);
}

function isTemporary({ reply }: SmtpFailure): boolean {
  return reply?.startsWith("4") ?? false;
}

function causeOf(failure: SmtpFailure): "server" | "settings" | "mail" {
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
      return causeOfReply(failure, parseReply(failure.reply ?? ""));
    default:
      return "server";
  }
}

function causeOfReply({ stage }: SmtpFailure, reply: Reply): "server" | "settings" | "mail" {
  const { code } = reply;
  if (code === 421 || stage === "connect" || stage === "greeting" || stage === "tls") return "server";
  if (stage === "authentication") return code < 500 ? "server" : "settings";
  switch (causeOfRejection(reply)) {
    case "authentication":
      return "settings";
    case "throttling":
      return "server";
    case "sender":
      return code < 500 ? "mail" : "settings";
    case "other":
      return "mail";
  }
}
