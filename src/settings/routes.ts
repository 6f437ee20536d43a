import { zValidator } from "@hono/zod-validator";
import { type Context, Hono } from "hono";
import { callerName } from "../auth/caller.ts";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { recordHistory, type TestTarget } from "../history/record.ts";
import { envelope } from "../http/envelope.ts";
import { assertIfMatch, setETag } from "../http/etag.ts";
import { invalidFields, validQuery } from "../http/validation.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { destinationProblem } from "../smtp/destination.ts";
import { assertConnection } from "./connection-test.ts";
import { toResponse, warningsFor } from "./response.ts";
import { lacksMandatoryField, type Settings, settingsSchema, verifySchema } from "./schema.ts";
import { storeOf } from "./store.ts";
import { usesMask, withStoredSecrets } from "./stored-secrets.ts";
import { applyAndStore, type SettingsTarget } from "./target.ts";
import { tokenSettingsProblem } from "./token-settings.ts";

/**
 * Saves, reads and deletes a tenant's settings.
 *
 * @param targetOf where settings of a request take effect before they are stored, if anywhere
 * @param onChange what else a save or delete causes, after it. Gets the sealed record, or `undefined`
 */
export function settingsRoutes(
  targetOf: (c: Context<AppEnv>) => SettingsTarget | undefined,
  onChange: (env: Env, tenant: string, sealed: string | undefined) => Promise<void>,
) {
  const authenticated = authenticate(({ adminRoles }) => adminRoles);
  return new Hono<AppEnv>()
    .get("/", authenticated, async (c) => {
      const record = await storeOf(c).read(c.var.tenant);
      if (record === undefined) throw new ApiError("nothing_stored");
      const { settings, updatedAt, updatedBy, version } = record;
      setETag(c, version);
      const members = {
        settings: toResponse(settings),
        updatedAt,
        updatedBy,
        warnings: warningsFor(settings),
      };
      return c.json(envelope("OK", "Successfully read SMTP Details", members));
    })
    .post("/", authenticated, jsonBody(), settingsBody(), validQuery(verifySchema), async (c) => {
      const { tenant, caller, config, requestId: version } = c.var;
      const sent = c.req.valid("json");
      const { verify } = c.req.valid("query");
      const ifMatch = c.req.header("If-Match");
      const problem = destinationProblem(sent.host, config) ?? (await tokenSettingsProblem(sent, config));
      if (problem !== undefined) throw new ApiError("invalid_fields", { errors: [problem] });

      const target = targetOf(c);
      const store = storeOf(c);
      const isMasked = usesMask(sent);
      let isStoredKnown = true;
      const stored = await store.read(tenant).catch((error) => {
        // A plain save needs the stored settings for its history only, and does not depend on it.
        if (isMasked || ifMatch !== undefined || verify || target !== undefined) throw error;
        isStoredKnown = false;
        return undefined;
      });
      assertIfMatch(ifMatch, stored?.version);
      const settings = isMasked ? keepSecrets(sent, stored?.settings) : sent;
      // A kept secret may be from before there was a target.
      const errors = target?.problems(settings) ?? [];
      if (errors.length > 0) throw new ApiError("invalid_fields", { errors });
      let tested: TestTarget | undefined;
      if (verify) {
        tested = (await assertConnection(c, settings, "sent", { records: "failure" })).target;
      }
      if (verify || target !== undefined) {
        // The test takes up to 30 s, in which another save may have succeeded.
        const current = await store.read(tenant);
        if (current?.version !== stored?.version) {
          // Otherwise a guessed password that passes leaves no entry.
          if (tested !== undefined)
            await recordHistory(c, Promise.resolve(), () => ({ action: "tested", test: tested }));
          throw new ApiError("settings_changed");
        }
      }

      const record = {
        settings,
        updatedAt: new Date().toISOString(),
        updatedBy: callerName(caller),
        version,
      };
      const changed = isStoredKnown ? changedFields(stored?.settings, settings) : undefined;
      const written = applyAndStore(target, settings, () => store.write(tenant, record));
      // Registered before awaiting, as in recordHistory.
      c.executionCtx.waitUntil(written.then((sealed) => onChange(c.env, tenant, sealed)).catch(() => {}));
      await recordHistory(c, written, () => ({ action: "saved", changed }));
      setETag(c, version);
      return c.json(envelope("OK", "Successfully updated SMTP Details"));
    })
    .delete("/", authenticated, async (c) => {
      const { tenant } = c.var;
      const store = storeOf(c);
      const ifMatch = c.req.header("If-Match");
      if (ifMatch !== undefined) assertIfMatch(ifMatch, (await store.read(tenant))?.version);
      // Deletes unconditionally: KV may not show yet what was saved elsewhere.
      const deleted = applyAndStore(targetOf(c), undefined, () => store.delete(tenant));
      c.executionCtx.waitUntil(deleted.then(() => onChange(c.env, tenant, undefined)).catch(() => {}));
      await recordHistory(c, deleted, () => ({ action: "deleted" }));
      return c.json(envelope("OK", "Successfully deleted SMTP Details"));
    });
}

function settingsBody() {
  return zValidator("json", settingsSchema, (result) => {
    if (lacksMandatoryField(result.data)) throw new ApiError("mandatory_fields_missing");
    if (!result.success) throw invalidFields(result.error.issues);
  });
}

function keepSecrets(sent: Settings, stored: Settings | undefined): Settings {
  const kept = withStoredSecrets(sent, stored, "save");
  if ("error" in kept) throw new ApiError("invalid_fields", { errors: [kept.error] });
  return kept.settings;
}

/** Names of the fields in which settings differ, secrets included: a name reveals no value. */
function changedFields(before: Settings | undefined, after: Settings): string[] {
  const old: Partial<Settings> = before ?? {};
  const names = new Set([...Object.keys(old), ...Object.keys(after)]) as Set<keyof Settings>;
  return [...names].filter((name) => old[name] !== after[name]).sort();
}
