import { Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { envelope } from "../http/envelope.ts";
import { invalidField, validQuery } from "../http/validation.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { CURSOR_PROBLEM, historyQuerySchema } from "./schema.ts";
import { HistoryStore } from "./store.ts";

/** Reads the history of a tenant's settings. */
export function historyRoutes() {
  return new Hono<AppEnv>().get(
    "/",
    authenticate(({ adminRoles }) => adminRoles),
    validQuery(historyQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await new HistoryStore(c.env.SMTP_SETTINGS).page(c.var.tenant, limit, cursor);
      if (page === undefined) throw invalidField({ field: "cursor", message: CURSOR_PROBLEM });
      return c.json(envelope("OK", "Successfully read the history of SMTP Details", page));
    },
  );
}
