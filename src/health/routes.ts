import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { version } from "../../package.json";
import { loadConfig } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { envelope } from "../http/envelope.ts";
import { allowMethods } from "../middleware/allow-methods.ts";
import { anyOrigin } from "../middleware/any-origin.ts";
import { platformHost } from "../middleware/tenant.ts";
import { assertKvAvailable } from "../storage/kv.ts";

/**
 * Reports whether the Worker can serve: whether its configuration is valid and KV responds. Responds the same
 * for every cause, which only the log names. Needs no token, and runs before the configuration is required.
 */
export function healthRoutes() {
  return new Hono<AppEnv>()
    .use("/", anyOrigin(), healthyConfig(), platformHost(), allowMethods("GET", "HEAD"))
    .get("/", async (c) => {
      try {
        await assertKvAvailable(c.env.SMTP_SETTINGS);
      } catch (error) {
        return unhealthy(c, error);
      }
      return c.json(envelope("OK", "Tenant Mail can serve.", { version }));
    });
}

function healthyConfig() {
  return createMiddleware<AppEnv>(async function healthyConfig(c, next) {
    try {
      c.set("config", await loadConfig(c.env));
    } catch (error) {
      return unhealthy(c, error);
    }
    return next();
  });
}

function unhealthy(c: Context<AppEnv>, error: unknown) {
  // Logged by requestLog.
  c.error = error instanceof Error ? error : new Error("unknown");
  return c.json(envelope("SERVICE_UNAVAILABLE", "Tenant Mail cannot serve.", { version }), 503);
}
