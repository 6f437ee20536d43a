import type { Context } from "hono";
import { ApiError } from "../errors.ts";

/**
 * Sets `ETag` to a version. `no-transform` keeps Cloudflare from compressing the response, which would
 * weaken the tag, and `If-Match` never matches a weak one.
 *
 * @see RFC 9110 section 8.8.3, RFC 9111 section 5.2.2.6
 */
export function setETag(c: Context, version: string): void {
  c.header("ETag", entityTag(version));
  c.header("Cache-Control", "no-store, no-transform");
}

/**
 * Evaluates `If-Match` by strong comparison.
 *
 * @param ifMatch the header's value, if the request has one
 * @param version of what is stored; `undefined` if nothing is
 * @throws {ApiError} `precondition_failed`
 * @see RFC 9110 section 13.1.1
 */
export function assertIfMatch(ifMatch: string | undefined, version: string | undefined): void {
  if (ifMatch === undefined) return;
  const tags = ifMatch.split(",").map((tag) => tag.trim());
  const matches = version !== undefined && (tags.includes("*") || tags.includes(entityTag(version)));
  if (!matches) throw new ApiError("precondition_failed");
}

function entityTag(version: string): string {
  return `"${version}"`;
}
