import { isIpAddress, parseHost } from "./host.ts";

// Dot-string of RFC 5321 section 4.1.2 with the UTF-8 of RFC 6531.
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;

// Quoted-string of the same section. Angle brackets are left out: they end the path in a command.
const QUOTED_LOCAL_PART = /^"(?:[ !#-;=?-[\]-~\p{L}\p{M}\p{N}]|\\[ -;=?-~])+"$/u;

// Letters and marks that cannot be seen, such as U+3164 and U+034F, make one address look like another.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

// Beginning of an encoded word (RFC 2047). It is none in an address, yet clients decode it, and show another address.
const ENCODED_WORD = /=\?[^?]*\?[bq]\?/i;

const NOT_AN_ADDRESS = 'must be an email address such as "sender@example.com"';

/**
 * Checks an email address.
 *
 * Quoted local parts are valid: some providers have given out addresses such as `"a..b"@example.com`. Domain literals are
 * not: mail systems handle them badly, and people type them only by mistake.
 *
 * @returns the problem as a predicate ("must ..."), or `undefined` for a valid address
 * @see RFC 5321 sections 4.1.2 and 4.5.3.1 (octets, not characters), RFC 6531 for other scripts
 */
export function emailAddressProblem(address: string): string | undefined {
  const at = address.lastIndexOf("@");
  const localPart = address.slice(0, at);
  if (octets(address) > 254) return "must have at most 254 octets";
  if (octets(localPart) > 64) return "must have at most 64 octets before the @";
  const domain = parseHost(address.slice(at + 1));
  // parseHost drops a trailing dot, which is valid in DNS but not in mail.
  if (/[.\u3002\uff0e\uff61]$/.test(address)) return NOT_AN_ADDRESS;
  const isLocalPart = LOCAL_PART.test(localPart) || QUOTED_LOCAL_PART.test(localPart);
  if (at < 1 || !isLocalPart || "problem" in domain) return NOT_AN_ADDRESS;
  if (INVISIBLE.test(localPart) || ENCODED_WORD.test(unquotedLocalPart(address))) return NOT_AN_ADDRESS;
  return domain.host.includes(".") && !isIpAddress(domain.host) ? undefined : NOT_AN_ADDRESS;
}

/**
 * Writes the domain of an address in ASCII: servers without SMTPUTF8 accept internationalized domains only in punycode
 * (IDNA, RFC 5890).
 */
export function asciiDomain(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = parseHost(address.slice(at + 1));
  return "host" in domain ? `${address.slice(0, at)}@${domain.host}` : address;
}

/** The local part of an address, without quotation marks and backslashes that quote it. */
export function unquotedLocalPart(address: string): string {
  const localPart = address.slice(0, address.lastIndexOf("@"));
  return localPart.startsWith('"') ? localPart.slice(1, -1).replace(/\\(.)/gu, "$1") : localPart;
}

/** Whether an address needs no SMTPUTF8 (RFC 6531). */
export function isAscii(address: string): boolean {
  return /^\p{ASCII}*$/u.test(address);
}

function octets(text: string): number {
  return new TextEncoder().encode(text).length;
}
