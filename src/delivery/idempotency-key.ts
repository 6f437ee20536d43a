import { ApiError } from "../errors.ts";

/**
 * Validates an `Idempotency-Key`, if there is one.
 *
 * @param field names it in an error
 * @param form what the key may look like, besides its characters
 * @throws {ApiError} `invalid_fields`
 */
export function validIdempotencyKey(text: string | undefined, field: string, form = ""): string | undefined {
  const key = text === undefined ? undefined : parseIdempotencyKey(text);
  if (key !== undefined || text === undefined) return key;
  const message = `must have 1 to 255 printable ASCII characters${form}`;
  throw new ApiError("invalid_fields", { errors: [{ field, message }] });
}

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
