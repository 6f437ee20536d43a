/** Base64url without padding, whose last character leaves no bits over (RFC 4648 section 3.5). */
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/**
 * Whether a text is a JWS in compact serialization (RFC 7515 section 3.1), in the only spelling that it has. Decoders
 * ignore white space and spare bits, so a token would have endless spellings otherwise, each of which costs as much as
 * the first.
 */
export function isCompactJws(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 3 && parts.every((part) => BASE64URL.test(part));
}

/** What the signature of a compact JWS is about: its header and payload. A signature may have several valid forms. */
export function signedPartOf(jws: string): string {
  return jws.slice(0, jws.lastIndexOf("."));
}
