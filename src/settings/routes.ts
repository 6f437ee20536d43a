import { Hono, type MiddlewareHandler } from "hono";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { jsonBody } from "../http/json-body.ts";
import { attempt } from "../smtp/attempt.ts";
import { refusePrivateDestination } from "../smtp/destination.ts";
import { settingsBody, verifyQuery } from "./input.ts";
import { keepsStoredPassword, withStoredPassword } from "./password-rule.ts";
import { storeOf } from "./store.ts";
import { viewOf, warningsOf } from "./view.ts";

/**
 * Saving, reading and deleting a tenant's settings.
 *
 * @param resource the last word of the path: `config` in the SSMS family, `setup` in the SHIFT family
 * @param authenticate lets administrators of the tenant on, and nobody else
 */
export function settingsRoutes<Resource extends "config" | "setup">(
  resource: Resource,
  authenticate: MiddlewareHandler<AppEnv>,
) {
  const path = `/${resource}` as const;
  return new Hono<AppEnv>()
    .get(path, authenticate, async (c) => {
      const record = await storeOf(c).read(c.var.tenant);
      if (record === undefined) throw new RefusedError({ kind: "nothing_stored" });
      const { settings, updatedAt, updatedBy } = record;
      const more = { settings: viewOf(settings), updatedAt, updatedBy, warnings: warningsOf(settings) };
      return c.json(envelope("OK", "Successfully read SMTP Details", more));
    })
    .post(path, authenticate, jsonBody(), settingsBody(), verifyQuery(), async (c) => {
      const { tenant, caller, config } = c.var;
      const store = storeOf(c);
      const sent = c.req.valid("json");
      refusePrivateDestination(sent.host, config);
      const settings = keepsStoredPassword(sent)
        ? withStoredPassword(sent, (await store.read(tenant))?.settings)
        : sent;
      if (c.req.valid("query").verify) await attempt(settings, { clientName: config.hostname }, config);
      const updatedAt = new Date().toISOString();
      await store.write(tenant, { settings, updatedAt, updatedBy: caller.displayName });
      return c.json(envelope("OK", "Successfully updated SMTP Details"));
    })
    .delete(path, authenticate, async (c) => {
      // Without asking whether there is anything: KV may not know yet what was saved elsewhere.
      await storeOf(c).delete(c.var.tenant);
      return c.json(envelope("OK", "Successfully deleted SMTP Details"));
    });
}
