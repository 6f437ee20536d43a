import { explain } from "../smtp/explain.ts";
import type { Classification, ClassificationContext } from "../smtp/replies/classify.ts";
import { parseReply } from "../smtp/reply.ts";
import type { SmtpFailure } from "../smtp/result.ts";
import type { FailureReport } from "./report.ts";

/** What a failure means, and how it is reported. Loaded only once something has failed. */
export interface Examined {
  classification: Classification;
  report: FailureReport;
}

/** Classifies and describes a failure. The recipient is redacted, since servers quote it in their replies. */
export function examine(failure: SmtpFailure, context: ClassificationContext): Examined {
  const { recipient } = context;
  const { classification, diagnosis } = explain(failure, context);
  const { steps: _, ...report } = diagnosis;
  if (failure.reply === undefined || recipient === undefined) return { classification, report };
  const reply = parseReply(redactRecipient(failure.reply, recipient)).text;
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
