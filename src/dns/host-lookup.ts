import { isIpAddress, isPublicDestination } from "../mail/host.ts";
import { encodeQuery, HEADER_OCTETS, NAME_ERROR, NO_ERROR, responseCode } from "./message.ts";

/** Time limit of a query, in milliseconds: it follows a connection that has failed, and somebody waits for both. */
const QUERY_TIMEOUT_MS = 3_000;

/** Media type of the wire format (RFC 8484 section 6). */
const DNS_MESSAGE = "application/dns-message";

/** Whether a host name exists in DNS; `undefined` if that is unknown. Never rejects. */
type HostLookup = (host: string) => Promise<boolean | undefined>;

interface HostLookupOptions {
  /** The runtime's, by default. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  timeoutMs?: number;
}

/**
 * Creates a lookup of host names. Workers report a name that does not exist like a server that rejects the
 * connection; one query distinguishes them.
 *
 * It is sent over HTTPS in the wire format (RFC 8484), which every such resolver supports. The JSON that some
 * also offer is not standardized: its addresses and members differ.
 *
 * @param resolver its https address, if there is one
 * @returns `undefined` without a resolver
 */
export function hostLookup(
  resolver: string | undefined,
  { fetch = globalThis.fetch, timeoutMs = QUERY_TIMEOUT_MS }: HostLookupOptions = {},
): HostLookup | undefined {
  if (resolver === undefined) return undefined;
  return async (host) => {
    // Names of private networks are not for a public resolver, which cannot know them.
    if (isIpAddress(host) || !isPublicDestination(host)) return undefined;
    try {
      const response = await fetch(resolver, {
        method: "POST",
        headers: { "Content-Type": DNS_MESSAGE, Accept: DNS_MESSAGE },
        body: encodeQuery(host),
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      return exists(await headerOf(response));
    } catch {
      return undefined;
    }
  };
}

/** NXDOMAIN holds for every type of record (RFC 8020 section 2), so no second query for IPv6 is needed. */
function exists(header: Uint8Array | undefined): boolean | undefined {
  const code = header && responseCode(header);
  if (code === NO_ERROR) return true;
  return code === NAME_ERROR ? false : undefined;
}

/** Reads no more of a response than its header, however large it is. */
async function headerOf(response: Response): Promise<Uint8Array | undefined> {
  const { ok, headers, body } = response;
  if (!ok || !headers.get("Content-Type")?.startsWith(DNS_MESSAGE)) {
    await body?.cancel();
    return undefined;
  }
  let octets: number[] = [];
  for await (const chunk of body ?? []) {
    octets = [...octets, ...chunk.subarray(0, HEADER_OCTETS)].slice(0, HEADER_OCTETS);
    if (octets.length === HEADER_OCTETS) break;
  }
  return Uint8Array.from(octets);
}
