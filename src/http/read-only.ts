import { createMiddleware } from "hono/factory";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";

const METHODS = ["GET", "HEAD"];

/**
 * For a path of no tenant, which can be read only. Without this, another method would go on to the routes of
 * tenants, and be told at the base host that there is no such path.
 */
export function readOnly() {
  return createMiddleware<AppEnv>(async function readOnly(c, next) {
    if (!METHODS.includes(c.req.method)) {
      throw new RefusedError({ kind: "method_not_allowed", allowed: METHODS });
    }
    await next();
  });
}
