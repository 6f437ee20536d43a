import { RefusedError } from "../errors.ts";

/** The entity tag of a version of something. */
export function entityTag(version: string): string {
  return `"${version}"`;
}

/**
 * Checks `If-Match`. Weak tags never match, as they do not stand for the same bytes.
 *
 * @param ifMatch the header's value, if there is one
 * @param version of what is stored now; `undefined` if nothing is
 * @throws {RefusedError} `precondition_failed`
 * @see RFC 9110 section 13.1.1
 */
export function requireMatch(ifMatch: string | undefined, version: string | undefined): void {
  if (ifMatch === undefined) return;
  const tags = ifMatch.split(",").map((tag) => tag.trim());
  const matches = version !== undefined && (tags.includes("*") || tags.includes(entityTag(version)));
  if (!matches) throw new RefusedError({ kind: "precondition_failed" });
}
