import type { SmtpSettings } from "./smtp-settings.ts";

/** Ports for implicit TLS. 465 is assigned by IANA; by convention, some providers also use 2465. */
export const IMPLICIT_TLS_PORTS: readonly number[] = [465, 2465];

/**
 * When a connection is encrypted. `implicit`: from the first byte (RFC 8314 section 3). `starttls`: after
 * STARTTLS, which is required. `opportunistic`: after STARTTLS if the server offers it.
 */
export type TlsMode = "implicit" | "starttls" | "opportunistic";

/**
 * Derives the TLS mode from settings. `ssl` takes precedence over `starttls`; with neither, port 465 is
 * implicit, as assigned by IANA (RFC 8314 section 7.3).
 */
export function tlsMode(settings: Pick<SmtpSettings, "ssl" | "starttls" | "port">): TlsMode {
  if (settings.ssl) return "implicit";
  if (settings.starttls) return "starttls";
  return settings.port === 465 ? "implicit" : "opportunistic";
}
