import { isPublicDestination, parseHost } from "../mail/host.ts";

/**
 * Whether a token may be requested from an address: over https, and of a public host. On a shared platform, a
 * private address belongs to somebody else's network (SSRF).
 *
 * @param url an absolute URL
 */
export function isTokenUrlAllowed(
  url: string,
  { allowPrivateHosts }: { allowPrivateHosts: boolean },
): boolean {
  const { protocol, hostname } = new URL(url);
  const parsed = parseHost(hostname);
  return protocol === "https:" && "host" in parsed && (allowPrivateHosts || isPublicDestination(parsed.host));
}
