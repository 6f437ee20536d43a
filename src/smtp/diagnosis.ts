import type { FailureKind, SmtpFailure, Stage, Step } from "./conversation.ts";
import { hintFor } from "./hints.ts";
import { parseReply } from "./reply.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

/** A failed conversation, told so that a person can act on it. */
export interface Diagnosis {
  /** What happened, in one sentence. */
  message: string;
  stage: Stage;
  /** Code of the server's reply (RFC 5321 section 4.2), where it refused. */
  smtpCode?: number;
  /** Its enhanced status code (RFC 3463), where it gave one. */
  enhancedCode?: string;
  /** Its text: printable, on one line, at most 200 characters. */
  reply?: string;
  /** What to do. */
  hint: string;
  /** What went well before. */
  steps: readonly Step[];
}

const WHAT: Record<Stage, string> = {
  connect: "the connection",
  greeting: "the greeting",
  tls: "the start of TLS",
  authentication: "user and password",
  sender: "the sender",
  recipient: "the recipient",
  message: "the message",
};

const SENTENCES: Record<FailureKind, (stage: Stage) => string> = {
  not_connected: () => "No connection to the SMTP server could be made.",
  not_smtp: () => "A connection was made, but nothing greeted there as an SMTP server.",
  reply: (stage) => `The SMTP server refused ${WHAT[stage]}.`,
  timeout: (stage) => `The SMTP server took too long over ${WHAT[stage]}.`,
  closed: (stage) => `The SMTP server closed the connection at ${WHAT[stage]}.`,
  protocol_error: (stage) => `The SMTP server answered at ${WHAT[stage]} in a way that SMTP does not know.`,
  starttls_not_offered: () => "STARTTLS is required, but the SMTP server does not offer it.",
  tls_failed: () => "The SMTP server agreed to STARTTLS, but no TLS connection came about.",
  plaintext_injected: () => "Data in clear came after the SMTP server's answer to STARTTLS.",
  credentials_need_tls: () => "The connection is not encrypted, so user and password were not sent.",
  authentication_not_offered: () => "The SMTP server does not offer to check a user and password.",
  too_large: () => "The message is larger than the SMTP server takes.",
  smtputf8_not_offered: (stage) =>
    `The SMTP server cannot take ${WHAT[stage]}'s address, as it lacks SMTPUTF8.`,
};

/** Puts a failure into words, with a hint. Of the settings, nothing is told. */
export function diagnose(failure: SmtpFailure, settings: SmtpSettings): Diagnosis {
  const { kind, stage, steps } = failure;
  const reply = failure.reply === undefined ? undefined : parseReply(failure.reply);
  return {
    message: SENTENCES[kind](stage),
    stage,
    ...(reply === undefined ? {} : { smtpCode: reply.code, reply: reply.text }),
    ...(reply?.enhancedCode === undefined ? {} : { enhancedCode: reply.enhancedCode }),
    hint: hintFor({ kind, stage, settings, reply }),
    steps,
  };
}
