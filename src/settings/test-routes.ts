import { type Context, Hono, type MiddlewareHandler } from "hono";
import { type Refusal, RefusedError } from "../errors.ts";
import type { Deed } from "../history/remember.ts";
import type { AppEnv } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { optionalJsonBody } from "../http/json-body.ts";
import { refusePrivateDestination } from "../smtp/destination.ts";
import { testMessage } from "../smtp/test-message.ts";
import { emailAddressProblem } from "./email-address.ts";
import { testBody } from "./input.ts";
import { keepsStoredPassword, withStoredPassword } from "./password-rule.ts";
import type { Settings } from "./schema.ts";
import { storeOf } from "./store.ts";
import { tryOut } from "./try-out.ts";

const TESTED: Deed = { action: "tested" };

/**
 * Testing a tenant's settings: the stored ones, or others before they are saved.
 *
 * @param authenticate lets administrators of the tenant on, and nobody else
 */
export function testRoutes(authenticate: MiddlewareHandler<AppEnv>) {
  return new Hono<AppEnv>().post("/test", authenticate, optionalJsonBody(), testBody(), async (c) => {
    const { tenant, caller, requestId } = c.var;
    const { to, mode, settings: sent } = c.req.valid("json");
    const settings = await settingsToTest(c, sent ?? undefined);
    if (mode === "probe") {
      const steps = await tryOut(c, settings, TESTED);
      return c.json(envelope("OK", "The SMTP server accepts these settings. No mail was sent.", { steps }));
    }
    const { compose } = await import("../smtp/message.ts");
    const content = testMessage(tenant, to ?? ownAddress(caller.email), requestId);
    const steps = await tryOut(c, settings, TESTED, await compose(settings, content));
    return c.json(envelope("OK", "Mail Sent Successfully to the user", { steps }));
  });
}

async function settingsToTest(c: Context<AppEnv>, sent: Settings | undefined): Promise<Settings> {
  const { tenant, config } = c.var;
  const read = async () => (await storeOf(c).read(tenant))?.settings;
  if (sent === undefined) return (await read()) ?? refuse({ kind: "nothing_stored" });
  try {
    refusePrivateDestination(sent.host, config);
    return keepsStoredPassword(sent) ? withStoredPassword(sent, await read()) : sent;
  } catch (error) {
    throw belowSettings(error);
  }
}

/** Names the fields as they stand in the body. */
function belowSettings(error: unknown): unknown {
  if (!(error instanceof RefusedError) || error.refusal.kind !== "invalid_fields") return error;
  const errors = error.refusal.errors.map(({ field, message }) => ({ field: `settings.${field}`, message }));
  return new RefusedError({ kind: "invalid_fields", errors });
}

function ownAddress(email: string | undefined): string {
  if (email !== undefined && emailAddressProblem(email) === undefined) return email;
  const message = "must be given, as the token has no email claim that the test can go to";
  return refuse({ kind: "invalid_fields", errors: [{ field: "to", message }] });
}

function refuse(refusal: Refusal): never {
  throw new RefusedError(refusal);
}
