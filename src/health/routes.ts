import { type Context, Hono } from "hono";
import { version } from "../../package.json";
import { loadConfig } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { envelope } from "../http/envelope.ts";
import { allowMethods } from "../middleware/allow-methods.ts";
import { assertPlatformHost } from "../middleware/tenant.ts";
import { withRetries } from "../storage/kv.ts";

/**
 * Reports whether the Worker can serve: whether its configuration is valid and KV responds. Responds the same
 * for every cause, which only the log names. Needs no token, and runs before the configuration is required.
 */
export function healthRoutes() {
  return new Hono<AppEnv>().use("/", allowMethods("GET", "HEAD")).get("/", async (c) => {
    try {
      await assertHealthy(c);
    } catch (error) {
      if (error instanceof ApiError && error.kind === "not_found") throw error;
      c.error = error as Error;
      return c.json(envelope("SERVICE_UNAVAILABLE", "Tenant Mail cannot serve.", { version }), 503);
    }
    return c.json(envelope("OK", "Tenant Mail can serve.", { version }));
  });
}

async function assertHealthy(c: Context<AppEnv>): Promise<void> {
  const { hostname } = await loadConfig(c.env);
  assertPlatformHost(c.req.url, hostname);
  await withRetries(() => c.env.SMTP_SETTINGS.get("health"), []);
}
