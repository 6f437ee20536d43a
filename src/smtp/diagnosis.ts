import { defined } from "../defined.ts";
import type { TokenFailure } from "../oauth/token-request.ts";
import type { Classification } from "./replies/classify.ts";
import type { Subject } from "./replies/row.ts";
import { parseReply } from "./reply.ts";
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

/** What a server rejects, whichever command it answers: Postfix rejects senders in its reply to RCPT. */
const REJECTED: Record<Subject, string> = {
  connection: "this client",
  session: "another message or connection",
  logins: "another login",
  password: "the user and password",
  mechanism: "the authentication mechanism",
  token: "the access token",
  sender: "the sender",
  recipient: "the recipient",
  content: "the message",
};

interface Circumstances {
  stage: Stage;
  subject: Subject;
  silentMs: number | undefined;
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

/** Describes a failure in words. The result contains no settings. */
export function describe(
  failure: SmtpFailure,
  { hint, subject }: Pick<Classification, "hint" | "subject">,
  settings: SmtpSettings,
): Diagnosis {
  const { kind, stage, steps, challenge, oauth, silentMs } = failure;
  const reply = failure.reply === undefined ? undefined : parseReply(failure.reply);
  return {
    message: MESSAGES[kind]({ stage, subject, silentMs, usesToken: settings.authType === "token" }),
    stage,
    ...defined({
      smtpCode: reply?.code,
      reply: reply?.text,
      enhancedCode: reply?.enhancedCode,
      challenge,
      oauth: oauth && toOAuth(oauth),
    }),
    hint,
    steps,
  };
}

/** Says in a report that its message may have arrived: the content was sent, and the outcome is unknown. */
export function mayHaveArrived<Report extends { message: string }>(report: Report): Report {
  return { ...report, message: `${report.message} The message may have arrived.` };
}

function toOAuth({ status, error, description }: TokenFailure): Diagnosis["oauth"] {
  const oauth = defined({ status, error, error_description: description });
  return Object.keys(oauth).length === 0 ? undefined : oauth;
}

function subjectOf({ stage, usesToken }: Circumstances): string {
  return stage === "authentication" && usesToken ? "the access token" : SUBJECTS[stage];
}

function rejected(circumstances: Circumstances): string {
  const { stage, subject } = circumstances;
  const isByStage = (stage === "tls" && subject === "connection") || subject === "password";
  return isByStage ? subjectOf(circumstances) : REJECTED[subject];
}
