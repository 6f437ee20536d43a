import { createMiddleware } from "hono/factory";
import { passThroughHostname } from "../config.ts";
import type { AppEnv } from "./app-env.ts";
import { hostnameOf } from "./tenant.ts";

const MAIL_PATH = /^\/(auth\/realms\/[^/]+|digitanium\/v4)\/mail(\/|$)/;

/**
 * Hands what is not for us to the origin, where `PASS_THROUGH` is on: Cloudflare's route patterns take no
 * wildcard inside a path, so the SHIFT family shares the route `{hostname}/auth/realms/*` with Keycloak.
 * Request and answer stay as they are.
 *
 * @see https://developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior
 */
export function passThrough() {
  return createMiddleware<AppEnv>(async function passThrough(c, next) {
    const hostname = passThroughHostname(c.env);
    if (hostname === undefined || hostnameOf(c.req.url) !== hostname || MAIL_PATH.test(c.req.path))
      return next();
    return fetch(c.req.raw);
  });
}
