import ipaddr from "ipaddr.js";

// RFC 6761 (localhost, invalid), RFC 6762 (local), RFC 7686 (onion), RFC 8375 (home.arpa), ICANN (internal).
const NON_PUBLIC_NAME = /^[^.]+$|\.(localhost|localdomain|invalid|local|onion|internal|home\.arpa)$/;

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");

/** The 6bone, whose addresses were returned (RFC 3701 section 2). */
const SIXBONE = ipaddr.IPv6.parseCIDR("3ffe::/16");

/**
 * Longest input that is parsed, in UTF-16 code units: the URL parser's time is quadratic in the length of an IDN.
 * Punycode is never shorter than the IDN, whose 253 characters take at most two units each.
 */
const MAX_INPUT_LENGTH = 2 * 253;

/** The result of {@link parseHost}. */
type ParsedHost = { host: string } | { problem: string };

/**
 * Normalizes a host name or an IP literal to the form that is stored, compared and dialed.
 *
 * The WHATWG URL parser does the work because the platform dials by it. It converts an IDN to punycode and
 * every spelling of an IPv4 address (`0x7f.1`, `2130706433`, `０１２７.1`) to dotted decimal, so no spelling
 * gets past {@link isPublicDestination}.
 *
 * @param text a trimmed host without port and scheme; IPv6 with or without brackets
 * @returns the host in lower case (IPv6 without brackets), or the problem as a predicate ("must ...")
 * @see https://url.spec.whatwg.org/#host-parsing
 */
export function parseHost(text: string): ParsedHost {
  if (text.length > MAX_INPUT_LENGTH) return { problem: "must have at most 253 characters" };
  if (/[\s\p{Cc}\p{Cf}]/u.test(text)) return { problem: "must not contain spaces or control characters" };
  if (text.includes("/"))
    return { problem: 'must be a bare host name such as "smtp.example.com", without a scheme or path' };
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (bare.includes(":")) return parseIPv6(bare);
  const hostname = URL.parse(`https://${text}`)?.hostname.replace(/\.$/, "");
  if (
    hostname === undefined ||
    /[^\p{L}\p{M}\p{N}.\u3002\uff0e\uff61-]/u.test(text) ||
    !isHostname(hostname)
  ) {
    return { problem: 'must be a host name such as "smtp.example.com", or an IP address' };
  }
  return { host: hostname };
}

/**
 * Whether a shared platform may dial a host: a public address, or a name that can be public. Names are not
 * resolved here; Cloudflare's `connect` rejects private addresses itself.
 *
 * @param host as returned by {@link parseHost}
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/ and its IPv6 counterpart
 */
export function isPublicDestination(host: string): boolean {
  if (!isIpAddress(host)) return !NON_PUBLIC_NAME.test(host);
  const address = ipaddr.parse(host);
  if (address.range() !== "unicast") return false;
  // IANA assigns only 2000::/3 (RFC 4291 section 2.4); the rest includes IPv4-compatible and other old forms.
  return address.kind() === "ipv4" || (address.match(GLOBAL_UNICAST) && !address.match(SIXBONE));
}

/** Whether a host, as returned by {@link parseHost}, is an IP address rather than a name. */
export function isIpAddress(host: string): boolean {
  return host.includes(":") || /^\d+(\.\d+){3}$/.test(host);
}

function parseIPv6(bare: string): ParsedHost {
  const host = URL.parse(`https://[${bare}]`)?.hostname.slice(1, -1);
  if (host === undefined || !/^[\da-f:.]+$/i.test(bare)) {
    return { problem: "must be a host name or an IP address, without a port" };
  }
  return { host };
}

// RFC 1123 section 2.1; 253 characters fit the 255 octets of RFC 1035 section 3.1.
function isHostname(hostname: string): boolean {
  return (
    hostname.length <= 253 &&
    hostname.split(".").every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/.test(label))
  );
}
