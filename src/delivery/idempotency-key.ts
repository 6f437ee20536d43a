/**
 * Parses an `Idempotency-Key`: a quoted string (RFC 8941 section 3.3.3), or the same without quotes, which most
 * clients send.
 *
 * @returns the key, or `undefined` if it is not valid
 * @see draft-ietf-httpapi-idempotency-key-header section 2.1
 */
export function parseIdempotencyKey(header: string): string | undefined {
  const text = header.trim();
  const quoted = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replace(/\\(["\\])/g, "$1");
  if (quoted === undefined && text.startsWith('"')) return undefined;
  return /^[\x20-\x7e]{1,255}$/.test(key) ? key : undefined;
}
