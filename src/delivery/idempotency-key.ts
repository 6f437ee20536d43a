import { invalidField } from "../http/validation.ts";

/** How to write a key. */
const RULE = "must be one key of 1 to 255 printable ASCII characters, in quotes if it has a comma";

/**
 * Validates an `Idempotency-Key`, if there is one.
 *
 * @param input of any type, as a Worker may send it
 * @param field names it in an error
 * @throws {ApiError} `invalid_fields`
 */
export function validIdempotencyKey(input: unknown, field: string): string | undefined {
  if (input === undefined) return undefined;
  if (typeof input !== "string") throw invalidField({ field, message: "must be a string" });
  const key = parseIdempotencyKey(input);
  if (key === undefined) throw invalidField({ field, message: RULE });
  return key;
}

/**
 * Parses an `Idempotency-Key`: a quoted string (RFC 8941 section 3.3.3), or the same without quotes, which most
 * clients send. A comma needs quotes: two header lines arrive joined by one (RFC 9110 section 5.3), and are no key.
 *
 * @returns the key, or `undefined` if it is not valid
 * @see draft-ietf-httpapi-idempotency-key-header section 2.1
 */
export function parseIdempotencyKey(header: string): string | undefined {
  const text = header.trim();
  const quoted = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replace(/\\(["\\])/g, "$1");
  if (quoted === undefined && /^"|,/.test(text)) return undefined;
  return /^[\x20-\x7e]{1,255}$/.test(key) ? key : undefined;
}
