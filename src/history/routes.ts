import { Hono, type MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { validQuery } from "../http/valid-query.ts";
import { historyQuerySchema } from "./query.ts";
import { HistoryStore } from "./store.ts";

/**
 * Reading what was done to a tenant's settings.
 *
 * @param resource the word of the path before `history`: `config` (SSMS) or `setup` (SHIFT)
 * @param authenticate lets administrators of the tenant on, and nobody else
 */
export function historyRoutes<Resource extends "config" | "setup">(
  resource: Resource,
  authenticate: MiddlewareHandler<AppEnv>,
) {
  const path = `/${resource}/history` as const;
  return new Hono<AppEnv>().get(path, authenticate, validQuery(historyQuerySchema), async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const page = await new HistoryStore(c.env.SMTP_SETTINGS).page(c.var.tenant, limit, cursor);
    return c.json(envelope("OK", "Successfully read the history of SMTP Details", page));
  });
}
