import { createMiddleware } from "hono/factory";
import { loadConfig } from "../config.ts";
import type { AppEnv } from "../context.ts";

/**
 * Responds 503 until the configuration is valid.
 *
 * @throws {ConfigError}
 */
export function requireConfig() {
  return createMiddleware<AppEnv>(async function requireConfig(c, next) {
    c.set("config", await loadConfig(c.env));
    await next();
  });
}
