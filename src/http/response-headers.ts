import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./app-env.ts";

/** One year, without `includeSubDomains`: the base host's other subdomains are not ours to bind (RFC 6797). */
const STRICT_TRANSPORT_SECURITY = "max-age=31536000";

/**
 * Marks our answers as ones that no cache may keep and no browser may take for something else. The headers
 * are set beforehand, so that they go with what we build and leave an answer of the origin as it is.
 */
export function responseHeaders() {
  return createMiddleware<AppEnv>(async function responseHeaders(c, next) {
    c.header("Cache-Control", "no-store");
    c.header("X-Content-Type-Options", "nosniff");
    c.header("X-Request-Id", c.var.requestId);
    // RFC 6797 section 7.2: not over plain http, where anyone could have written it.
    if (c.req.url.startsWith("https:")) c.header("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY);
    await next();
  });
}
