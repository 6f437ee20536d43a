import { zValidator } from "@hono/zod-validator";
import { Hono, type MiddlewareHandler } from "hono";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { jsonBody } from "../http/json-body.ts";
import { isPublicDestination } from "../smtp/host.ts";
import { keepsStoredPassword, withStoredPassword } from "./password-rule.ts";
import { fieldErrors, lacksMandatoryField, type Settings, settingsSchema } from "./schema.ts";
import { SettingsStore } from "./store.ts";
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
    .post(path, authenticate, jsonBody(), settingsInBody(), async (c) => {
      const { tenant, caller, config } = c.var;
      const store = storeOf(c);
      const sent = c.req.valid("json");
      if (!config.allowPrivateHosts) refusePrivateDestination(sent);
      const settings = keepsStoredPassword(sent)
        ? withStoredPassword(sent, (await store.read(tenant))?.settings)
        : sent;
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

function storeOf(c: { env: Env; var: AppEnv["Variables"] }): SettingsStore {
  return new SettingsStore(c.env.SMTP_SETTINGS, c.var.config.settingsKeys);
}

function settingsInBody() {
  return zValidator("json", settingsSchema, (result) => {
    if (lacksMandatoryField(result.data)) throw new RefusedError({ kind: "mandatory_fields_missing" });
    if (!result.success)
      throw new RefusedError({ kind: "invalid_fields", errors: fieldErrors(result.error.issues) });
  });
}

function refusePrivateDestination({ host }: Settings): void {
  if (isPublicDestination(host)) return;
  const message = "must be a public host: loopback, private and other special addresses are not dialled";
  throw new RefusedError({ kind: "invalid_fields", errors: [{ field: "host", message }] });
}
