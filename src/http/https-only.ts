import { createMiddleware } from "hono/factory";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Refuses plain http before anything else is looked at, and never redirects: the token has already
 * crossed the network in clear, and a redirect would hide that. The URL's scheme decides; Cloudflare sets
 * it, while `X-Forwarded-Proto` can be sent by anyone.
 */
export function httpsOnly() {
  return createMiddleware<AppEnv>(async function httpsOnly(c, next) {
    if (!c.req.url.startsWith("https:")) throw new RefusedError({ kind: "plain_http" });
    await next();
  });
}
