import { Hono, type MiddlewareHandler } from "hono";
import { nameOf } from "../auth/caller.ts";
import { RefusedError } from "../errors.ts";
import { remember } from "../history/remember.ts";
import type { AppEnv } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { jsonBody } from "../http/json-body.ts";
import { requireMatch, tagWith } from "../http/precondition.ts";
import { validQuery } from "../http/valid-query.ts";
import { refusePrivateDestination } from "../smtp/destination.ts";
import { changedFields } from "./changed-fields.ts";
import { settingsBody } from "./input.ts";
import { keepsStoredPassword, withStoredPassword } from "./password-rule.ts";
import { verifySchema } from "./schema.ts";
import { storeOf } from "./store.ts";
import { tryOut } from "./try-out.ts";
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
      const { settings, updatedAt, updatedBy, version } = record;
      tagWith(c, version);
      const more = { settings: viewOf(settings), updatedAt, updatedBy, warnings: warningsOf(settings) };
      return c.json(envelope("OK", "Successfully read SMTP Details", more));
    })
    .post(path, authenticate, jsonBody(), settingsBody(), validQuery(verifySchema), async (c) => {
      const { tenant, caller, config, requestId: version } = c.var;
      const sent = c.req.valid("json");
      const ifMatch = c.req.header("If-Match");
      refusePrivateDestination(sent.host, config);
      const store = storeOf(c);
      const keepsPassword = keepsStoredPassword(sent);
      let beforeIsKnown = true;
      const before = await store.read(tenant).catch((error) => {
        // Otherwise it is for the history only, which no save depends on.
        if (keepsPassword || ifMatch !== undefined) throw error;
        beforeIsKnown = false;
        return undefined;
      });
      requireMatch(ifMatch, before?.version);
      const settings = keepsPassword ? withStoredPassword(sent, before?.settings) : sent;
      if (c.req.valid("query").verify) await tryOut(c, settings, undefined);
      const record = { settings, updatedAt: new Date().toISOString(), updatedBy: nameOf(caller), version };
      const written = store.write(tenant, record);
      const changed = beforeIsKnown ? changedFields(before?.settings, settings) : undefined;
      remember(
        c,
        written.then(() => ({ action: "saved", changed })),
      );
      await written;
      tagWith(c, version);
      return c.json(envelope("OK", "Successfully updated SMTP Details"));
    })
    .delete(path, authenticate, async (c) => {
      const store = storeOf(c);
      const ifMatch = c.req.header("If-Match");
      if (ifMatch !== undefined) requireMatch(ifMatch, (await store.read(c.var.tenant))?.version);
      // Without asking whether there is anything: KV may not know yet what was saved elsewhere.
      const deleted = store.delete(c.var.tenant);
      remember(
        c,
        deleted.then(() => ({ action: "deleted" })),
      );
      await deleted;
      return c.json(envelope("OK", "Successfully deleted SMTP Details"));
    });
}
