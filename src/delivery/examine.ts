import { explain } from "../smtp/explain.ts";
import type { Classification, ClassificationContext } from "../smtp/replies/classify.ts";
import { DISPLAYED_MAX_CHARACTERS, parseReply } from "../smtp/reply.ts";
import type { SmtpFailure } from "../smtp/result.ts";
import { redactContent } from "./quoted-content.ts";
import type { FailureReport } from "./report.ts";
import type { MailContent } from "./sealed-mail.ts";

/** What a failure means, and how it is reported. Loaded only once something has failed. */
export interface Examined {
  classification: Classification;
  report: FailureReport;
}

/**
 * Classifies and describes a failure. What the server's reply quotes of the message is redacted.
 *
 * @param content of the message, if it was being sent
 */
export function examine(
  failure: SmtpFailure,
  context: Omit<ClassificationContext, "recipient">,
  content: MailContent | undefined,
): Examined {
  const { classification, diagnosis } = explain(failure, { ...context, recipient: content?.to });
  const { steps: _, ...report } = diagnosis;
  if (failure.reply === undefined || content === undefined) return { classification, report };
  const { text: reply } = parseReply(failure.reply, DISPLAYED_MAX_CHARACTERS, (text) =>
    redactContent(text, content),
  );
  return { classification, report: { ...report, reply } };
}

/** The report of messages that wait because others were not accepted: it says nothing of those. */
export function reportOfOthers({ classification, report }: Examined): FailureReport {
  const isTheirs = classification.cause === "message";
  return {
    message: "The SMTP server has not accepted the last messages of this tenant, so this one waits.",
    stage: report.stage,
    hint: isTheirs ? "Nothing has to be done for this message: it is tried again soon." : report.hint,
  };
}
