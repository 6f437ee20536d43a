import type { FieldError } from "../errors.ts";
import { isPublicDestination } from "../mail/host.ts";

/** Which hosts may be dialed. */
export interface DestinationPolicy {
  /** Allows loopback and private hosts, for local work. */
  allowPrivateHosts: boolean;
}

/**
 * Checks that a host is public. On a shared platform, a private address belongs to somebody else's network
 * (SSRF).
 *
 * @param host as returned by `parseHost`
 * @returns the error of field `host`, or `undefined` if the host may be dialed
 */
export function destinationProblem(
  host: string,
  { allowPrivateHosts }: DestinationPolicy,
): FieldError | undefined {
  if (allowPrivateHosts || isPublicDestination(host)) return undefined;
  return {
    field: "host",
    message: "must be a public host: loopback, private and other special-purpose addresses are not allowed",
  };
}
