import type { SmtpSettings } from "./smtp-settings.ts";
import { IMPLICIT_TLS_PORTS, tlsMode } from "./tls-mode.ts";

/** Time limits of one session, in milliseconds. */
export interface SmtpTimeouts {
  /** TCP, and TLS if it is implicit. */
  connectMs: number;
  /** From the connection to the server's greeting. */
  greetingMs: number;
  /**
   * From the connection to the first byte, on a port for implicit TLS without `ssl`: a server that expects TLS waits
   * for the client.
   */
  silenceOnTlsPortMs: number;
  /** From one complete reply to the next: a server that sends single bytes does not extend it. */
  replyMs: number;
  /** From the end of a message to its reply. */
  messageReplyMs: number;
  /** From `open()` to `close()`. */
  totalMs: number;
}

/**
 * Time limits of a test: an administrator waits for the result. Any wait may take what the total allows, since some
 * servers delay their greeting to deter spam bots, and delivery waits as long.
 */
export const TEST_TIMEOUTS: SmtpTimeouts = {
  connectMs: 10_000,
  greetingMs: 30_000,
  silenceOnTlsPortMs: 5_000,
  replyMs: 30_000,
  messageReplyMs: 30_000,
  totalMs: 30_000,
};

/**
 * Time limits of a delivery, none shorter than those of a test.
 *
 * RFC 5321 section 4.5.3.2.6 allows 10 minutes for the reply to a message: a client that gives up earlier sends it
 * twice. An alarm of Workers may run for 15 minutes in all.
 */
export const DELIVERY_TIMEOUTS: SmtpTimeouts = {
  connectMs: 10_000,
  greetingMs: 30_000,
  silenceOnTlsPortMs: 30_000,
  replyMs: 30_000,
  messageReplyMs: 5 * 60_000,
  totalMs: 14 * 60_000,
};

/** What Keycloak assumes for a time limit that is absent, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Shortens time limits to those of the settings. The reply to a message keeps its limit: a client that gives up
 * earlier sends the mail twice (RFC 5321 section 4.5.3.2.6).
 */
export function timeoutsFor(
  { connectionTimeout, timeout, writeTimeout }: Partial<SmtpSettings>,
  limits: SmtpTimeouts,
): SmtpTimeouts {
  const { connectMs, greetingMs, replyMs } = limits;
  return {
    ...limits,
    connectMs: shorter(connectMs, connectionTimeout),
    greetingMs: shorter(greetingMs, timeout),
    replyMs: shorter(replyMs, commandTimeout(timeout, writeTimeout)),
  };
}

/** How long the server may be silent after the connection, in milliseconds. */
export function firstByteLimit(
  settings: SmtpSettings,
  { greetingMs, silenceOnTlsPortMs }: SmtpTimeouts,
): number {
  const mayExpectTls = IMPLICIT_TLS_PORTS.includes(settings.port) && tlsMode(settings) !== "implicit";
  return mayExpectTls ? Math.min(greetingMs, silenceOnTlsPortMs) : greetingMs;
}

/** Waiting for a reply includes writing the command. */
function commandTimeout(timeout: number | undefined, writeTimeout: number | undefined): number | undefined {
  if (timeout === undefined && writeTimeout === undefined) return undefined;
  if (timeout === 0 || writeTimeout === 0) return undefined;
  return (timeout ?? DEFAULT_TIMEOUT_MS) + (writeTimeout ?? DEFAULT_TIMEOUT_MS);
}

function shorter(limitMs: number, wantedMs: number | undefined): number {
  return wantedMs ? Math.min(limitMs, wantedMs) : limitMs;
}
