import type { Context } from "hono";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Tells the caller the entity tag of a version. The answer must arrive as it is sent: whatever compresses
 * it on the way, as Cloudflare does, weakens the tag, and `If-Match` never matches a weak one.
 *
 * @see RFC 9111 section 5.2.2.6 for `no-transform`
 */
export function tagWith(c: Context<AppEnv>, version: string): void {
  c.header("ETag", entityTag(version));
  c.header("Cache-Control", "no-store, no-transform");
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

function entityTag(version: string): string {
  return `"${version}"`;
}
