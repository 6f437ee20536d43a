import type { Classification } from "../smtp/replies/classify.ts";
import { parseReply } from "../smtp/reply.ts";
import { precedesMail, type SmtpFailure } from "../smtp/result.ts";
import type { PauseKind } from "./pause.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Delays before the retries of one message (RFC 5321 section 4.5.4.1 asks for two attempts in the first hour). */
const RETRY_DELAYS_MS = [1, 5, 15, 30, 60, 120].map((minutes) => minutes * MINUTE_MS);

/** Delay of all later retries. */
const LAST_RETRY_DELAY_MS = 4 * HOUR_MS;

/** Longest delay as a share of the lifetime: a login code of ten minutes gets five attempts instead of three. */
const RETRY_DELAY_MAX_SHARE = 1 / 4;

/** Refusals of one message, each followed by the acceptance of another, after which it fails. */
const MAX_REFUSALS = 5;

/** Attempts with unknown outcome after which a message fails, if another has been accepted meanwhile. */
const MAX_UNKNOWN_OUTCOMES = 3;

/** What the attempts to send one message have shown. Times come from `OutboxState.tick`, so that they never tie. */
export interface Trials {
  /** Attempts since the message was queued. */
  attempts: number;
  /** How many delays of its schedule the message has taken. */
  step: number;
  /** Attempts that the server has answered with 4xx, or broken off. */
  deferrals: number;
  /** Attempts refused for good, as far as another message was accepted between them. */
  refusals: number;
  /** The last refusal for good. */
  refusedAt: number | undefined;
  /** Whether the connection of that refusal has accepted another message since. */
  othersAccepted: boolean;
  /** Attempts whose content was sent, without a reply to it. */
  unknownOutcomes: number;
  /** The first of them. */
  unknownSince: number | undefined;
}

/** What a failure concerns. Decided before what it means. */
export type Scope =
  /** How many connections the server allows. The run goes on with the older one. */
  | "connections"
  /** This connection, which has carried a message. The message is sent again at once over a new one. */
  | "connection"
  /** Every session: connection, TLS, login or sender. */
  | "session"
  /** One message. */
  | "message";

/** The connection of a failed attempt. */
export interface AttemptedConnection {
  /** Whether another connection of the same run is open. */
  hasOther: boolean;
  /** Whether an older one is. */
  isYounger: boolean;
  /** Whether this one has carried another message. */
  isReused: boolean;
  /** Whether the content of the message has left. */
  contentLeft: boolean;
}

/** Decides what a failure concerns. */
export function scopeOf(
  failure: SmtpFailure,
  { cause, subject }: Pick<Classification, "cause" | "subject">,
  { hasOther, isYounger, isReused, contentLeft }: AttemptedConnection,
): Scope {
  const { kind, stage, reply = "", contentSent } = failure;
  const { code, enhancedCode } = parseReply(reply);
  const isBeforeMail = precedesMail(stage);
  if (contentSent) return "message";
  // Exchange allows few connections at a time, and says so at any stage.
  const isOneTooMany = code === 432 && enhancedCode === "4.3.2";
  const isOpening = isBeforeMail || (stage === "sender" && !isReused);
  if ((hasOther && isOneTooMany) || (isYounger && isOpening)) return "connections";
  if (isBeforeMail) return "session";
  if (kind === "too_large" || kind === "smtputf8_not_offered")
    return cause === "message" ? "message" : "session";
  const isBrokenOff = kind !== "reply";
  const rejectsData = stage === "message" && !contentLeft && isTemporary(failure);
  // Stalwart and others report their limit of messages per session as 4.4.5, with any words.
  const isLimit = code === 421 || subject === "session" || enhancedCode === "4.4.5";
  const isOfConnection = isBrokenOff || isLimit || stage === "sender" || rejectsData;
  if (isReused && isOfConnection) return "connection";
  const rejectsSender = stage === "sender" && !isBrokenOff && !isTemporary(failure);
  return rejectsSender && cause !== "message" ? "session" : "message";
}

/** What a pause for a failed session waits for. */
export function pauseKindOf(
  { kind, stage, reply = "", isAuthRefused = false }: SmtpFailure,
  { subject }: Pick<Classification, "subject">,
): PauseKind {
  if (subject === "logins") return "logins";
  if (kind === "token_rejected" || kind === "token_missing" || kind === "token_forbidden") return "login";
  // Without a check of the password, no account is locked.
  if (kind !== "reply" || stage !== "authentication" || isAuthRefused) return "delivery";
  const { code, enhancedCode } = parseReply(reply);
  // RFC 4954 section 6: the password has to be changed.
  const isTransition = code === 432 && enhancedCode !== "4.3.2";
  return code >= 500 || isTransition ? "login" : "delivery";
}

/** How an attempt ended for one message, if it was not accepted. */
export type Outcome =
  /** The server refuses it for good, by a reply, or by what it does not support. */
  | "refused"
  /** 4xx, or the server ended the transaction before the content. */
  | "deferred"
  /** The content was sent, and no reply says what became of it. */
  | "unknown";

/** Reads the outcome of an attempt that concerns one message. */
export function outcomeOf(failure: SmtpFailure): Outcome {
  if (failure.contentSent) return "unknown";
  const isUnsupported = failure.kind === "too_large" || failure.kind === "smtputf8_not_offered";
  if (isUnsupported) return "refused";
  return failure.kind === "reply" && !isTemporary(failure) ? "refused" : "deferred";
}

/** A message after an attempt. */
export interface AttemptedMessage {
  trials: Trials;
  expiresAt: number;
  lifetimeMs: number;
}

/** What to do with a message after an attempt, and what its trials have shown by then. */
export type Decision = { trials: Trials } & (
  | { action: "retry"; at: number }
  | { action: "fail"; mayHaveArrived: boolean }
);

/** When an attempt ended, and what had been accepted by then. */
export interface Moment {
  now: number;
  /** `now` from `OutboxState.tick`. */
  tick: number;
  /** The last acceptance of any message with these settings. */
  acceptedAt: number | undefined;
}

/**
 * Decides on a message that the server refuses for good.
 *
 * It fails if the recipient or the content is at fault beyond doubt, or if others were accepted while it was
 * refused. What every message meets is a fault of the server or of the settings, and no message fails for it.
 *
 * @param takesStep whether the attempt was one of the message's own schedule
 */
export function decideRefused(
  message: AttemptedMessage,
  { cause, isFinal }: Pick<Classification, "cause" | "isFinal">,
  moment: Moment,
  takesStep: boolean,
): Decision {
  const { trials } = message;
  const isCounted = trials.refusedAt === undefined || (moment.acceptedAt ?? 0) > trials.refusedAt;
  const refusals = trials.refusals + (isCounted ? 1 : 0);
  const refused = { ...trials, refusals, refusedAt: moment.tick, othersAccepted: false };
  const isRefusedAlone = trials.othersAccepted || refusals >= MAX_REFUSALS;
  if (isFinal || (cause === "message" && isRefusedAlone)) {
    return { action: "fail", mayHaveArrived: trials.unknownOutcomes > 0, trials: attempted(refused) };
  }
  return retry({ ...message, trials: refused }, moment.now, takesStep);
}

/** Decides on a message that the server does not accept for now. */
export function decideDeferred(message: AttemptedMessage, { now }: Moment, takesStep: boolean): Decision {
  const { trials } = message;
  return retry({ ...message, trials: { ...trials, deferrals: trials.deferrals + 1 } }, now, takesStep);
}

/**
 * Decides on a message that may have arrived. A second copy of a login code is better than none, so it is sent
 * again, as long as no other message shows that this one is the cause.
 */
export function decideUnknown(message: AttemptedMessage, moment: Moment): Decision {
  const { trials } = message;
  const unknownOutcomes = trials.unknownOutcomes + 1;
  const unknownSince = trials.unknownSince ?? moment.tick;
  // After an outage, each message gets another attempt: only one that fails again is the cause.
  const isAlone = (moment.acceptedAt ?? 0) > unknownSince;
  const after = { ...trials, unknownOutcomes, unknownSince };
  if (unknownOutcomes >= MAX_UNKNOWN_OUTCOMES && isAlone) {
    return { action: "fail", mayHaveArrived: true, trials: attempted(after) };
  }
  return retry({ ...message, trials: after }, moment.now);
}

/** The next attempt of a message, on its own schedule. It expires in place of one that would come later. */
export function retry(
  { trials, expiresAt, lifetimeMs }: AttemptedMessage,
  now: number,
  takesStep = true,
): Decision & { action: "retry" } {
  const step = trials.step + (takesStep ? 1 : 0);
  const scheduledMs = RETRY_DELAYS_MS[Math.max(step, 1) - 1] ?? LAST_RETRY_DELAY_MS;
  // More attempts mean more copies of a message that may have arrived.
  const isShortened = trials.unknownOutcomes === 0 || step <= 1;
  const delayMs = isShortened ? Math.min(scheduledMs, lifetimeMs * RETRY_DELAY_MAX_SHARE) : scheduledMs;
  return { action: "retry", at: Math.min(now + delayMs, expiresAt), trials: { ...attempted(trials), step } };
}

function attempted(trials: Trials): Trials {
  return { ...trials, attempts: trials.attempts + 1 };
}

function isTemporary({ reply }: SmtpFailure): boolean {
  return reply?.startsWith("4") ?? false;
}
