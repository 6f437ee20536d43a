import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";

/**
 * Rejects plain http before anything else. It never redirects: the token has already crossed the network in
 * clear, and a redirect would hide that. The URL's scheme decides, because Cloudflare sets it and anyone can
 * send `X-Forwarded-Proto`.
 */
export function httpsOnly() {
  return createMiddleware<AppEnv>(async function httpsOnly(c, next) {
    if (!c.req.url.startsWith("https:")) throw new ApiError("plain_http");
    await next();
  });
}
