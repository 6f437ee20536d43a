import { createMiddleware } from "hono/factory";
import { passThroughHostname } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { hostnameOf } from "./tenant.ts";

const MAIL_PATH = /^\/(auth\/realms\/[^/]+|digitanium\/v4)\/mail(\/|$)/;

/**
 * Forwards other paths than ours to the origin, if `PASS_THROUGH` is on: Cloudflare's route patterns take no
 * wildcard inside a path, so the SHIFT family shares the route `{hostname}/auth/realms/*` with Keycloak.
 * Request and response stay unchanged.
 *
 * @see https://developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior
 */
export function passThrough() {
  return createMiddleware<AppEnv>(async function passThrough(c, next) {
    const hostname = passThroughHostname(c.env);
    const isOurs = hostname === undefined || hostnameOf(c.req.url) !== hostname || MAIL_PATH.test(c.req.path);
    return isOurs ? next() : fetch(c.req.raw);
  });
}
