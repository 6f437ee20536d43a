import { isPublicDestination, parseHost } from "../mail/host.ts";

export interface TokenUrlPolicy {
  /** Allows endpoints on loopback, private hosts and those of this service, for local work. */
  allowPrivateHosts: boolean;
  /** The base host of this service. */
  hostname: string;
}

/**
 * Whether a token may be requested from an address: over https, and of a public host. On a shared platform, a
 * private address belongs to somebody else's network (SSRF). The hosts of this service are excluded as well: what a
 * Worker fetches from its own zone goes straight to the origin, past Cloudflare Access and the firewall.
 *
 * @param url an absolute URL
 * @see https://developers.cloudflare.com/workers/configuration/compatibility-flags/#global-fetch-strictly-public
 */
export function isTokenUrlAllowed(
  url: string,
  { allowPrivateHosts, hostname: baseHost }: TokenUrlPolicy,
): boolean {
  const { protocol, hostname } = new URL(url);
  const parsed = parseHost(hostname);
  if (protocol !== "https:" || !("host" in parsed)) return false;
  const { host } = parsed;
  const isOwn = host === baseHost || host.endsWith(`.${baseHost}`);
  return allowPrivateHosts || (isPublicDestination(host) && !isOwn);
}
