import { type Diagnosis, diagnose } from "../smtp/diagnosis.ts";
import type { SmtpFailure } from "../smtp/result.ts";
import type { SmtpSettings } from "../smtp/smtp-settings.ts";

/** A failed attempt, worded like a failed test of the settings. Holds no recipient. */
export type FailureReport = Omit<Diagnosis, "steps">;

/** Describes a failure. Servers quote the recipient in their replies, so the address is redacted. */
export function reportOf(failure: SmtpFailure, settings: SmtpSettings, to: string): FailureReport {
  const { steps: _, reply, ...report } = diagnose(failure, settings);
  return reply === undefined ? report : { ...report, reply: redactRecipient(reply, to) };
}

/** The report of an attempt whose outcome is unknown, because the connection or the object ended. */
export const INTERRUPTED: FailureReport = {
  message: "The attempt was interrupted before the SMTP server replied to the message.",
  stage: "message",
  hint: "The mail may have arrived. Nothing is wrong with the settings.",
};

/** Says that a mail that counts as failed may have arrived. */
export function mayHaveArrived({ message, ...report }: FailureReport): FailureReport {
  return { ...report, message: `${message} The mail may have arrived.` };
}

function redactRecipient(reply: string, to: string): string {
  const localPart = to.slice(0, to.lastIndexOf("@"));
  const address = new RegExp(`${RegExp.escape(localPart)}@[^\\s<>()\\[\\],;:'"]+`, "giu");
  return reply.replace(address, "[recipient]");
}
