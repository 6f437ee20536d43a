import type { Diagnosis } from "../smtp/diagnosis.ts";

/** A failed attempt, worded like a failed test of the settings. Holds no recipient. */
export type FailureReport = Omit<Diagnosis, "steps">;

/** The report of an attempt whose outcome is unknown, because the object stopped. */
export const INTERRUPTED: FailureReport = {
  message: "The attempt was interrupted before the SMTP server replied to the message.",
  stage: "message",
  hint: "The message may have arrived. Nothing is wrong with the settings.",
};

/** The report of a message that cannot be decrypted. */
export const UNREADABLE: FailureReport = {
  message: "The stored message cannot be decrypted.",
  stage: "message",
  hint: "Ask the operator of Tenant Mail: a settings key is missing.",
};

/** The report of an attempt that failed for a reason of ours. */
export const UNEXPECTED: FailureReport = {
  message: "An unexpected error ended the attempt.",
  stage: "message",
  hint: "Ask the operator of Tenant Mail: the log names the error.",
};

/** The report of an outbox that could not start to send, for a reason of ours. */
export const OUTBOX_FAILED: FailureReport = { ...UNEXPECTED, stage: "connect" };

/** The report of messages that wait for settings. */
export const NO_SETTINGS: FailureReport = {
  message: "The tenant has no SMTP settings, or they cannot be decrypted.",
  stage: "connect",
  hint: "Save the SMTP settings of the tenant.",
};

/** The report of messages that wait because too many logins were tried with settings that have never logged in. */
export const TOO_MANY_LOGINS: FailureReport = {
  message: "Too many logins were tried with settings that have never logged in, so none is tried for now.",
  stage: "authentication",
  hint: "Wait until nextAttemptAt, or save settings that have logged in before.",
};

/** The report of a message that expired before any attempt. */
export const NOT_TRIED: FailureReport = {
  message: "The message expired before it could be tried.",
  stage: "connect",
  hint: "Give messages a longer expiresIn, or send fewer at a time.",
};

/** Parses a report as a message's row holds it. */
export function parseReport(json: string | null): FailureReport | undefined {
  return json === null ? undefined : JSON.parse(json);
}
