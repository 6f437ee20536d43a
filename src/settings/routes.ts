import { zValidator } from "@hono/zod-validator";
import { type Context, Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { envelope } from "../http/envelope.ts";
import { assertIfMatch, preconditionsOf, setETag } from "../http/etag.ts";
import { invalidFields, validQuery } from "../http/validation.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { jsonBody, optionalJsonBody } from "../middleware/json-body.ts";
import { notModified } from "../middleware/not-modified.ts";
import { type ChangeRequest, deleteSettings, type SettingsTarget } from "./change.ts";
import type { RecentChange } from "./latest-record.ts";
import { type LimitLogins, requestOf } from "./request.ts";
import { toResponse, warningsFor } from "./response.ts";
import { saveSettings } from "./save.ts";
import { lacksMandatoryField, settingsSchema, testSchema, verifySchema } from "./schema.ts";
import { storeOf } from "./store.ts";
import { testSettings } from "./test.ts";

const administrator = authenticate(({ adminRoles }) => adminRoles);

/**
 * Saves, reads and deletes a tenant's settings.
 *
 * @param targetOf where settings of a request take effect before they are stored, if anywhere
 * @param onChange what else a save or delete causes, after it. Gets the sealed record, or `undefined`
 * @param recentChange what `onChange` was given last, if that was within two minutes
 * @param limitLogins runs a session within the tenant's limit of logins
 */
export function settingsRoutes(
  targetOf: (c: Context<AppEnv>) => SettingsTarget | undefined,
  onChange: (env: Env, tenant: string, sealed: string | undefined) => Promise<void>,
  recentChange: (env: Env, tenant: string) => Promise<RecentChange | undefined>,
  limitLogins: LimitLogins,
) {
  const changeOf = (c: Context<AppEnv>): ChangeRequest => ({
    ...requestOf(c, limitLogins),
    target: targetOf(c),
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    onChange: (sealed) => onChange(c.env, c.var.tenant, sealed),
    recentChange: () => recentChange(c.env, c.var.tenant),
  });
  return new Hono<AppEnv>()
    .get("/", administrator, notModified(), async (c) => {
      const record = await storeOf(c).read(c.var.tenant);
      if (record === undefined) throw new ApiError("nothing_stored");
      const { settings, updatedAt, updatedBy, version } = record;
      assertIfMatch(c.req.header("If-Match"), version);
      setETag(c, version);
      const members = {
        settings: toResponse(settings),
        updatedAt,
        updatedBy,
        warnings: warningsFor(settings),
      };
      return c.json(envelope("OK", "Successfully read SMTP Details", members));
    })
    .post("/", administrator, jsonBody(), settingsBody(), validQuery(verifySchema), async (c) => {
      const options = { ...c.req.valid("query"), preconditions: preconditionsOf(c) };
      await saveSettings(changeOf(c), c.req.valid("json"), options);
      setETag(c, c.var.requestId);
      return c.json(envelope("OK", "Successfully updated SMTP Details"));
    })
    .delete("/", administrator, async (c) => {
      await deleteSettings(changeOf(c), preconditionsOf(c));
      return c.json(envelope("OK", "Successfully deleted SMTP Details"));
    });
}

/** Tests a tenant's settings: the stored ones, or those in the request. */
export function testRoutes(limitLogins: LimitLogins) {
  return new Hono<AppEnv>().post("/", administrator, optionalJsonBody(), testBody(), async (c) => {
    const { steps, recipient } = await testSettings(requestOf(c, limitLogins), c.req.valid("json"));
    const message =
      recipient === undefined
        ? "The SMTP server accepts these settings. No mail was sent."
        : "Mail Sent Successfully to the user";
    return c.json(envelope("OK", message, { steps }));
  });
}

function settingsBody() {
  return zValidator("json", settingsSchema, (result) => {
    if (lacksMandatoryField(result.data)) throw new ApiError("mandatory_fields_missing");
    if (!result.success) throw invalidFields(result.error.issues);
  });
}

function testBody() {
  return zValidator("json", testSchema, (result) => {
    const { settings } = (result.data ?? {}) as { settings?: unknown };
    if ((settings ?? undefined) !== undefined && lacksMandatoryField(settings)) {
      throw new ApiError("mandatory_fields_missing");
    }
    if (!result.success) throw invalidFields(result.error.issues);
  });
}
