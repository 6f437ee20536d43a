import type { TokenFailure } from "../oauth/token-request.ts";

/** The stages of a session, in the order of RFC 5321; with implicit TLS, `tls` comes before `greeting`. */
export const STAGES = [
  "connect",
  "greeting",
  "tls",
  "token",
  "authentication",
  "sender",
  "recipient",
  "message",
] as const;

export type Stage = (typeof STAGES)[number];

/** Whether a stage precedes the first command of a message. */
export function precedesMail(stage: Stage): boolean {
  return STAGES.indexOf(stage) < STAGES.indexOf("sender");
}

/** How the connection is encrypted. */
export const TLS_STATES = ["implicit", "STARTTLS", "none"] as const;

/** A completed stage. */
export interface Step {
  stage: Stage;
  /** Time since the previous step. */
  milliseconds: number;
  /** In stage `tls`. */
  tls?: (typeof TLS_STATES)[number];
  /** SASL mechanisms that the server offers, in the last step before authentication. */
  mechanisms?: readonly string[];
  /** The SASL mechanism used, in stage `authentication`. */
  mechanism?: string;
  /**
   * In stage `message`, the server's reply, which usually contains its queue id. In a probe, a negative reply to
   * the sender or recipient that does not question the settings.
   */
  reply?: string;
}

/**
 * Reasons for a failure. `reply`: the server rejected a command; the client detects the others itself. `silent`: no
 * byte arrived; `not_smtp`: something else than greeting and EHLO reply of an SMTP server.
 * `unknown_host`: not connected, and DNS does not have the host name.
 */
export const FAILURE_KINDS = [
  "forbidden_destination",
  "not_connected",
  "unknown_host",
  "silent",
  "not_smtp",
  "reply",
  "timeout",
  "closed",
  "protocol_error",
  "starttls_not_offered",
  "tls_failed",
  "ended_after_tls",
  "token_forbidden",
  "token_unreachable",
  "token_rejected",
  "token_missing",
  "plaintext_injected",
  "credentials_need_tls",
  "authentication_not_offered",
  "smtputf8_not_offered",
  "too_large",
] as const;

export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Why a session failed. */
export interface SmtpFailure {
  kind: FailureKind;
  /** The stage that failed. */
  stage: Stage;
  /** The stages completed before. */
  steps: readonly Step[];
  /** The server's reply with its codes; credentials are redacted. */
  reply?: string;
  /** Why the server rejects an access token, decoded from its challenge: one printable line. */
  challenge?: string;
  /** What the token endpoint said, in stage `token`. */
  oauth?: TokenFailure;
  /** For how long no byte arrived, in kind `silent`. */
  silentMs?: number;
  /** In stage `authentication`: whether the server refused the AUTH command itself, and checked no password. */
  isAuthRefused?: boolean;
  /** Whether the content has left and no reply says what became of it: the message may have arrived. */
  contentSent: boolean;
  /** Whether the MAIL command of this transaction carried SMTPUTF8 (RFC 6531 section 3.4). */
  smtputf8: boolean;
}

/** The result of an operation of a session, with all steps so far. */
export type SmtpResult = { ok: true; steps: readonly Step[] } | { ok: false; failure: SmtpFailure };
