import ipaddr from "ipaddr.js";

// RFC 6761 (localhost, invalid), RFC 6762 (local), RFC 7686 (onion), RFC 8375 (home.arpa), ICANN (internal).
const NON_PUBLIC_NAME = /^[^.]+$|\.(localhost|localdomain|invalid|local|onion|internal|home\.arpa)$/;

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");

/** What {@link parseHost} found. */
export type ParsedHost = { host: string } | { problem: string };

/**
 * Brings a host name or an IP literal into the one form in which it is stored, compared and dialled.
 *
 * The WHATWG URL parser does the work, because it is what the platform itself dials by: it turns an IDN
 * into punycode and every spelling of an IPv4 address (`0x7f.1`, `2130706433`, `０１２７.1`) into the dotted
 * form, so that no spelling gets past {@link isPublicDestination}.
 *
 * @param text a host without port and scheme, trimmed; IPv6 with or without brackets
 * @returns the host in lower case (IPv6 without brackets), or what is wrong with it, for a person to read
 * @see https://url.spec.whatwg.org/#host-parsing
 */
export function parseHost(text: string): ParsedHost {
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
 * Whether a host may be dialled from a shared platform: a public address, or a name that can be public.
 * What a name resolves to is not looked up here; Cloudflare's `connect` refuses private addresses itself.
 *
 * @param host as {@link parseHost} gives it
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/ and the IPv6 one beside it
 */
export function isPublicDestination(host: string): boolean {
  if (!isAddress(host)) return !NON_PUBLIC_NAME.test(host);
  const address = ipaddr.parse(host);
  if (address.range() !== "unicast") return false;
  // Only 2000::/3 is given out (RFC 4291 section 2.4); the rest holds IPv4-compatible and other old forms.
  return address.kind() === "ipv4" || address.match(GLOBAL_UNICAST);
}

/** Whether a host, as {@link parseHost} gives it, is an IP address and not a name. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+(\.\d+){3}$/.test(host);
}

function parseIPv6(bare: string): ParsedHost {
  const host = URL.parse(`https://[${bare}]`)?.hostname.slice(1, -1);
  if (host === undefined || !/^[\da-f:.]+$/i.test(bare)) {
    return { problem: "must be a host name or an IP address; the port has a field of its own" };
  }
  return { host };
}

// RFC 1123 section 2.1; 253 characters are what fits the 255 octets of RFC 1035 section 3.1.
function isHostname(hostname: string): boolean {
  return (
    hostname.length <= 253 &&
    hostname.split(".").every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/.test(label))
  );
}
