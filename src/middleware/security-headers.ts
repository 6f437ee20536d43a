import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../context.ts";

/** One year, without `includeSubDomains`: the base host's other subdomains are not ours to bind (RFC 6797). */
const STRICT_TRANSPORT_SECURITY = "max-age=31536000";

/**
 * Sets the headers of every response of ours. It sets them before the handler runs, so a response of the
 * origin stays unchanged.
 */
export function securityHeaders() {
  return createMiddleware<AppEnv>(async function securityHeaders(c, next) {
    c.header("Cache-Control", "no-store");
    c.header("X-Content-Type-Options", "nosniff");
    c.header("X-Request-Id", c.var.requestId);
    // Not over plain http, where anyone could have written it (RFC 6797 section 7.2).
    if (c.req.url.startsWith("https:")) c.header("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY);
    await next();
  });
}
