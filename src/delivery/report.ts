import { type Diagnosis, diagnose } from "../smtp/diagnosis.ts";
import { parseReply } from "../smtp/reply.ts";
import type { SmtpFailure } from "../smtp/result.ts";
import type { SmtpSettings } from "../smtp/smtp-settings.ts";

/** A failed attempt, worded like a failed test of the settings. Holds no recipient. */
export type FailureReport = Omit<Diagnosis, "steps">;

/**
 * Describes a failure.
 *
 * @param recipient is redacted, since servers quote it in their replies
 */
export function reportOf(failure: SmtpFailure, settings: SmtpSettings, recipient?: string): FailureReport {
  const { steps: _, ...report } = diagnose(failure, settings);
  if (failure.reply === undefined || recipient === undefined) return report;
  return { ...report, reply: parseReply(redactRecipient(failure.reply, recipient)).text };
}

/** The report of an attempt whose outcome is unknown, because the object stopped. */
export const INTERRUPTED: FailureReport = {
  message: "The attempt was interrupted before the SMTP server replied to the message.",
  stage: "message",
  hint: "The mail may have arrived. Nothing is wrong with the settings.",
};

/** The report of a mail whose content does not open. */
export const UNREADABLE: FailureReport = {
  message: "The stored mail does not open.",
  stage: "message",
  hint: "Ask the operator of Tenant Mail: a settings key is missing.",
};

/** The report of an attempt that failed for a reason of ours. */
export const UNEXPECTED: FailureReport = {
  message: "An unexpected error ended the attempt.",
  stage: "message",
  hint: "Ask the operator of Tenant Mail: the log names the error.",
};

/** Says that a mail that counts as failed may have arrived. */
export function mayHaveArrived({ message, ...report }: FailureReport): FailureReport {
  return { ...report, message: `${message} The mail may have arrived.` };
}

/** Redacts the address, and its local part alone. The codes of the reply stay. */
function redactRecipient(reply: string, recipient: string): string {
  const localPart = RegExp.escape(recipient.slice(0, recipient.lastIndexOf("@")));
  const quoted = new RegExp(
    `(?<![\\p{L}\\p{N}])${localPart}(@[^\\s<>()\\[\\],;:'"]+|(?![\\p{L}\\p{N}]))`,
    "giu",
  );
  const codes = /^\d{3}[ -]?([245]\.\d{1,3}\.\d{1,3}\b)?/;
  return reply
    .split("\n")
    .map((line) => {
      const [code = ""] = codes.exec(line) ?? [];
      return code + line.slice(code.length).replace(quoted, "[recipient]");
    })
    .join("\n");
}
