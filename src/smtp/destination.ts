import { RefusedError } from "../errors.ts";
import { isPublicDestination } from "./host.ts";

/** Which hosts may be dialled. */
export interface DestinationPolicy {
  /** Lets loopback and private hosts through, for local work. */
  allowPrivateHosts: boolean;
}

/**
 * Lets public destinations pass, and no others: from inside a shared platform, a private address is
 * somebody else's.
 *
 * @throws {RefusedError} `invalid_fields` for `host`
 */
export function refusePrivateDestination(host: string, { allowPrivateHosts }: DestinationPolicy): void {
  if (allowPrivateHosts || isPublicDestination(host)) return;
  const message = "must be a public host: loopback, private and other special addresses are not dialled";
  throw new RefusedError({ kind: "invalid_fields", errors: [{ field: "host", message }] });
}
