import { NO_CAPABILITIES } from "./capabilities.ts";
import { TimeoutError } from "./deadline.ts";
import type { Handshake } from "./handshake.ts";
import type { FailureKind, SmtpFailure, Stage } from "./result.ts";
import type { TransportError } from "./transport-error.ts";

/** When a transport failed. */
interface FailureTime {
  stage: Stage;
  handshake: Handshake;
  /** Whether any byte has arrived. */
  hasInput: boolean;
}

/** The kinds whose reply is shown. That of a host which may not be an SMTP server is never. */
const WITH_REPLY: readonly FailureKind[] = ["starttls_not_offered", "ended_after_tls", "reply"];

/** What the end of a connection, or a wait without a reply, means at some time of a session. */
export function failureOf(
  error: TransportError | TimeoutError,
  time: FailureTime,
): { kind: FailureKind; reply: string | undefined } {
  const kind = kindOf(error, time);
  const reply = error instanceof TimeoutError ? undefined : error.reply;
  return { kind, reply: WITH_REPLY.includes(kind) ? reply : undefined };
}

function kindOf(
  error: TransportError | TimeoutError,
  { stage, handshake, hasInput }: FailureTime,
): FailureKind {
  const { capabilities, isSmtpServer, startTlsOffered } = handshake;
  const cause = error instanceof TimeoutError ? "timeout" : error.kind;
  if (stage === "connect") return "not_connected";
  if (cause === "timeout" && !hasInput) return "silent";
  if (!isSmtpServer) return "not_smtp";
  if (stage === "tls" && !startTlsOffered) return "starttls_not_offered";
  if (cause === "timeout" || error instanceof TimeoutError) return "timeout";
  // Under TLS 1.3, a server that demands a client certificate completes the handshake before it closes.
  const isBeforeEhloReply = stage === "authentication" && capabilities === NO_CAPABILITIES;
  if (isBeforeEhloReply && cause === "closed") return "ended_after_tls";
  if (error.reply !== undefined) return "reply";
  return stage === "tls" ? "tls_failed" : cause;
}

/** Whether the connection can carry another message after a failure. */
export function isAboutOneMessage({ kind, stage, reply }: SmtpFailure): boolean {
  if (kind === "too_large" || kind === "smtputf8_not_offered") return true;
  const isOfMail = stage === "sender" || stage === "recipient" || stage === "message";
  return kind === "reply" && isOfMail && !reply?.startsWith("421");
}
