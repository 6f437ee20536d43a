import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";

/**
 * Rejects any other method. For paths without a tenant: otherwise another method falls through to the routes of
 * tenants, which respond 404 on the base host.
 *
 * @throws {ApiError} `method_not_allowed`
 */
export function allowMethods(...allowed: readonly string[]) {
  return createMiddleware<AppEnv>(async function allowMethods(c, next) {
    if (!allowed.includes(c.req.method)) throw new ApiError("method_not_allowed", { allowed });
    await next();
  });
}
