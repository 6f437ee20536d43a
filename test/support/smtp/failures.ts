import type { FailureKind, SmtpFailure, Stage } from "../../../src/smtp/result.ts";

/** A failure of a session, as it stands before any content has left. */
export function smtpFailure(
  kind: FailureKind,
  stage: Stage,
  details: Partial<SmtpFailure> = {},
): SmtpFailure {
  return { kind, stage, steps: [], contentSent: false, smtputf8: false, ...details };
}
