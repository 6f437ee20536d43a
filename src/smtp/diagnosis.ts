import type { TokenFailure } from "../oauth/token-request.ts";
import { REJECTED_EHLO } from "./replies/common.ts";
import { hintFor } from "./replies/rows.ts";
import { parseReply, type Reply } from "./reply.ts";
import type { FailureKind, SmtpFailure, Stage, Step } from "./result.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

/** A failure in words, for the person who can fix it. */
export interface Diagnosis {
  /** What happened, in one sentence. */
  message: string;
  stage: Stage;
  /** Code of the server's negative reply, if any (RFC 5321 section 4.2). */
  smtpCode?: number;
  /** Its enhanced status code, if any (RFC 3463). */
  enhancedCode?: string;
  /** Its text: one printable line of at most 200 characters. */
  reply?: string;
  /** Why the server rejects an access token (RFC 7628 section 3.2.2): one printable line. */
  challenge?: string;
  /** How the token endpoint responded, if it did (RFC 6749 section 5.2). */
  oauth?: { status?: number; error?: string; error_description?: string };
  /** What to do. */
  hint: string;
  /** The stages completed before. */
  steps: readonly Step[];
}

const SUBJECTS: Record<Stage, string> = {
  connect: "the connection",
  greeting: "the greeting",
  tls: "STARTTLS",
  token: "the request for an access token",
  authentication: "the user and password",
  sender: "the sender",
  recipient: "the recipient",
  message: "the message",
};

/** What a reply names in its own words: Postfix sends all its rejections at RCPT (smtpd_delay_reject). */
const NAMED: readonly [RegExp, string][] = [
  [
    /\bsender (address )?(rejected|denied|refused|blocked|is not allowed|verif)|domain of sender|send ?as/i,
    SUBJECTS.sender,
  ],
  [REJECTED_EHLO, "the host name in EHLO"],
  [/client host/i, "the client"],
];

interface Circumstances {
  stage: Stage;
  silentMs: number | undefined;
  reply: Reply | undefined;
  /** Whether the settings ask for an access token. */
  usesToken: boolean;
}

const MESSAGES: Record<FailureKind, (circumstances: Circumstances) => string> = {
  forbidden_destination: () => "The host is not public, so no connection was made.",
  not_connected: () => "The SMTP server could not be reached.",
  unknown_host: () => "The host name does not exist in DNS.",
  silent: ({ silentMs = 0 }) =>
    `The host accepted the connection, but sent nothing for ${Math.round(silentMs / 100) / 10} s.`,
  not_smtp: () => "The host accepted the connection, but did not respond as an SMTP server.",
  reply: (circumstances) => `The SMTP server rejected ${rejected(circumstances)}.`,
  timeout: (circumstances) => `The SMTP server timed out while handling ${subjectOf(circumstances)}.`,
  closed: (circumstances) =>
    `The SMTP server closed the connection while handling ${subjectOf(circumstances)}.`,
  protocol_error: (circumstances) =>
    `The SMTP server sent an invalid reply while handling ${subjectOf(circumstances)}.`,
  starttls_not_offered: () => "STARTTLS is required, but the SMTP server does not offer it.",
  tls_failed: () => "The SMTP server accepted STARTTLS, but the TLS handshake failed.",
  ended_after_tls: () => "The SMTP server ended the session right after the TLS handshake.",
  token_forbidden: () =>
    "The address of the token endpoint is not allowed, so no access token was requested.",
  token_unreachable: () => "The token endpoint could not be reached, or is not available.",
  token_rejected: () => "The token endpoint rejected the request for an access token.",
  token_missing: () => "The token endpoint did not return an access token.",
  plaintext_injected: () => "Unencrypted data followed the SMTP server's reply to STARTTLS.",
  credentials_need_tls: ({ usesToken }) =>
    usesToken
      ? "The connection is not encrypted, so no access token was sent."
      : "The connection is not encrypted, so the user and password were not sent.",
  authentication_not_offered: ({ usesToken }) =>
    `The SMTP server does not offer authentication by ${usesToken ? "access token" : "user and password"}.`,
  smtputf8_not_offered: ({ stage }) =>
    `The address of ${SUBJECTS[stage]} requires SMTPUTF8, which the SMTP server does not support.`,
  too_large: () => "The message exceeds the SMTP server's size limit.",
};

/**
 * Describes a failure, with a hint. The result contains no settings.
 *
 * @param clientName our name in EHLO, for the hint if the server rejects it
 */
export function diagnose(failure: SmtpFailure, settings: SmtpSettings, clientName?: string): Diagnosis {
  const { kind, stage, steps, challenge, oauth, silentMs } = failure;
  const mechanisms = steps.findLast((step) => step.mechanisms !== undefined)?.mechanisms;
  const [reply, fullReply] =
    failure.reply === undefined ? [] : [parseReply(failure.reply), parseReply(failure.reply, Infinity)];
  return {
    message: MESSAGES[kind]({ stage, silentMs, reply: fullReply, usesToken: settings.authType === "token" }),
    stage,
    ...(reply === undefined ? {} : { smtpCode: reply.code, reply: reply.text }),
    ...(reply?.enhancedCode === undefined ? {} : { enhancedCode: reply.enhancedCode }),
    ...(challenge === undefined ? {} : { challenge }),
    ...(oauth === undefined ? {} : responseOf(oauth)),
    hint: hintFor({ kind, stage, settings, reply: fullReply, clientName, mechanisms, challenge, oauth }),
    steps,
  };
}

/** Says in a report that its message may have arrived: the content was sent, and the outcome is unknown. */
export function mayHaveArrived<Report extends { message: string }>(report: Report): Report {
  return { ...report, message: `${report.message} The message may have arrived.` };
}

function responseOf({ status, error, description }: TokenFailure): Pick<Diagnosis, "oauth"> {
  const oauth = {
    ...(status === undefined ? {} : { status }),
    ...(error === undefined ? {} : { error }),
    ...(description === undefined ? {} : { error_description: description }),
  };
  return Object.keys(oauth).length === 0 ? {} : { oauth };
}

function subjectOf({ stage, usesToken }: Circumstances): string {
  return stage === "authentication" && usesToken ? "the access token" : SUBJECTS[stage];
}

function rejected(circumstances: Circumstances): string {
  const { reply } = circumstances;
  const named = NAMED.find(([words]) => reply !== undefined && words.test(reply.text));
  return named === undefined ? subjectOf(circumstances) : named[1];
}
