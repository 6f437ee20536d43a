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

/** The headers that make a request conditional. */
export interface Preconditions {
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
}

/** Reads the preconditions of a request; `undefined` if it has none. */
export function preconditionsOf(c: Context): Preconditions | undefined {
  const [ifMatch, ifNoneMatch] = [c.req.header("If-Match"), c.req.header("If-None-Match")];
  return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch };
}

/**
 * Evaluates the preconditions of a change: `If-Match` first, then `If-None-Match`.
 *
 * @param version of what is stored; `undefined` if nothing is
 * @throws {ApiError} `precondition_failed`, `already_stored`
 * @see RFC 9110 section 13.2.2
 */
export function assertPreconditions(
  { ifMatch, ifNoneMatch }: Preconditions,
  version: string | undefined,
): void {
  assertIfMatch(ifMatch, version);
  const tag = version === undefined ? undefined : entityTag(version);
  if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, tag)) throw new ApiError("already_stored");
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
  const tags = tagsOf(ifMatch);
  const matches = version !== undefined && (tags.includes("*") || tags.includes(entityTag(version)));
  if (!matches) throw new ApiError("precondition_failed");
}

/**
 * Compares `If-None-Match` with the tag of what is stored, by weak comparison.
 *
 * @param tag `undefined` if nothing is stored
 * @see RFC 9110 section 13.1.2
 */
export function matchesWeakly(ifNoneMatch: string, tag: string | undefined): boolean {
  const tags = tagsOf(ifNoneMatch).map((tag) => tag.replace(/^W\//, ""));
  return tag !== undefined && (tags.includes("*") || tags.includes(tag));
}

function tagsOf(header: string): string[] {
  return header.split(",").map((tag) => tag.trim());
}

function entityTag(version: string): string {
  return `"${version}"`;
}
