import { Hono, type MiddlewareHandler } from "hono";
import { RefusedError } from "../errors.ts";
import { remember } from "../history/remember.ts";
import type { AppEnv } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { optionalJsonBody } from "../http/json-body.ts";
import { compose } from "../smtp/message.ts";
import { testMessage } from "../smtp/test-message.ts";
import { emailAddressProblem } from "./email-address.ts";
import { testBody } from "./input.ts";
import { keepsStoredPassword, withStoredPassword } from "./password-rule.ts";
import type { Settings } from "./schema.ts";
import { type SettingsStore, storeOf } from "./store.ts";
import { tryOut } from "./try-out.ts";

/**
 * Testing a tenant's settings: the stored ones, or others before they are saved.
 *
 * @param authenticate lets administrators of the tenant on, and nobody else
 */
export function testRoutes(authenticate: MiddlewareHandler<AppEnv>) {
  return new Hono<AppEnv>().post("/test", authenticate, optionalJsonBody(), testBody(), async (c) => {
    const { tenant, caller, requestId } = c.var;
    const { to, mode, settings: sent } = c.req.valid("json");
    const settings = await settingsToTest(sent ?? undefined, storeOf(c), tenant);
    if (mode === "probe") {
      const steps = await tryOut(c, settings);
      remember(c, "tested");
      return c.json(envelope("OK", "The SMTP server accepts these settings. No mail was sent.", { steps }));
    }
    const content = testMessage(tenant, to ?? ownAddress(caller.email), requestId);
    const steps = await tryOut(c, settings, await compose(settings, content));
    remember(c, "tested");
    return c.json(envelope("OK", "Mail Sent Successfully to the user", { steps }));
  });
}

async function settingsToTest(
  sent: Settings | undefined,
  store: SettingsStore,
  tenant: string,
): Promise<Settings> {
  if (sent !== undefined && !keepsStoredPassword(sent)) return sent;
  const stored = (await store.read(tenant))?.settings;
  if (sent !== undefined) return withStoredPassword(sent, stored);
  if (stored === undefined) throw new RefusedError({ kind: "nothing_stored" });
  return stored;
}

function ownAddress(email: string | undefined): string {
  if (email !== undefined && emailAddressProblem(email) === undefined) return email;
  const message = "must be given, as the token has no email claim to send the test to";
  throw new RefusedError({ kind: "invalid_fields", errors: [{ field: "to", message }] });
}
