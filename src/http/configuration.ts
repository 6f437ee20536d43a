import { createMiddleware } from "hono/factory";
import { loadConfig } from "../config.ts";
import type { AppEnv } from "./app-env.ts";

/** Lets no request further while the configuration is not whole. */
export function configuration() {
  return createMiddleware<AppEnv>(async function configuration(c, next) {
    c.set("config", await loadConfig(c.env));
    await next();
  });
}
