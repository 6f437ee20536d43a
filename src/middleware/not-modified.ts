import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../context.ts";
import { matchesWeakly } from "../http/etag.ts";

/**
 * Responds 304 in place of a response whose `ETag` the caller already has.
 *
 * @see RFC 9110 section 15.4.5
 */
export function notModified() {
  return createMiddleware<AppEnv>(async function notModified(c, next) {
    await next();
    const ifNoneMatch = c.req.header("If-None-Match");
    const tag = c.res.headers.get("ETag");
    if (ifNoneMatch === undefined || tag === null || !matchesWeakly(ifNoneMatch, tag)) return;
    const headers = new Headers(c.res.headers);
    headers.delete("Content-Type");
    c.res = undefined;
    c.res = new Response(null, { status: 304, headers });
  });
}
