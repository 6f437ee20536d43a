import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { version } from "../../package.json";
import type { AppEnv } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { readOnly } from "../http/read-only.ts";
import { answerTo } from "../http/refusal.ts";
import { platformHost } from "../http/tenant.ts";
import { withRetries } from "../kv/retries.ts";

/**
 * Tells anybody whether the Worker can serve, and nothing else. The configuration and its keys have been
 * parsed by the time a request comes here; what is left to see is whether KV answers.
 */
export function healthRoutes() {
  return new Hono<AppEnv>().use("/health", platformHost(), readOnly()).get("/health", async (c) => {
    await withRetries(() => c.env.SMTP_SETTINGS.get("health"), []);
    return c.json(envelope("OK", "Tenant Mail can serve.", { version }));
  });
}

/**
 * Answers in one and the same way whatever keeps the Worker from serving, so that nobody learns the cause but
 * by the log. Stands before the configuration is parsed, as that may be the cause.
 */
export function oneVerdict() {
  return createMiddleware<AppEnv>(async function oneVerdict(c, next) {
    await next();
    if (c.res.status !== 503) return;
    const { httpStatus, body } = answerTo({ kind: "not_healthy", version });
    c.res.headers.delete("Retry-After");
    c.res = c.json(body, httpStatus);
  });
}
