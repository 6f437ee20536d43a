import type { SmtpTimeouts } from "./limits.ts";
import type { SmtpSettings } from "./smtp-settings.ts";
import { IMPLICIT_TLS_PORTS, tlsMode } from "./tls-mode.ts";

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
