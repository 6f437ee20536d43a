import { zValidator } from "@hono/zod-validator";
import { type Context, Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { ApiError, type FieldError } from "../errors.ts";
import type { HistoryEvent } from "../history/event.ts";
import { recordHistory } from "../history/record.ts";
import { envelope } from "../http/envelope.ts";
import { invalidFields } from "../http/validation.ts";
import { emailAddressProblem } from "../mail/address.ts";
import type { MailContent, Message } from "../mail/message.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { optionalJsonBody } from "../middleware/json-body.ts";
import { destinationProblem } from "../smtp/destination.ts";
import { diagnose } from "../smtp/diagnosis.ts";
import type { SmtpResult, Step } from "../smtp/result.ts";
import type { SmtpSessionOptions } from "../smtp/session.ts";
import { lacksMandatoryField, type Settings, testSchema } from "./schema.ts";
import { storeOf } from "./store.ts";
import { usesMaskedPassword, withStoredPassword } from "./stored-password.ts";

const TESTED: HistoryEvent = { action: "tested" };

/** Tests a tenant's settings: the stored ones, or those in the request. */
export function connectionTestRoutes() {
  return new Hono<AppEnv>().post("/", authenticate(), optionalJsonBody(), testBody(), async (c) => {
    const { tenant, caller, requestId } = c.var;
    const { to, mode, settings: sent } = c.req.valid("json");
    const settings = await settingsToTest(c, sent ?? undefined);
    if (mode === "probe") {
      const steps = await assertConnection(c, settings, TESTED);
      return c.json(envelope("OK", "The SMTP server accepts these settings. No mail was sent.", { steps }));
    }
    const content = testMail(tenant, to ?? ownAddress(caller.email), requestId);
    const { composeMessage } = await import("../mail/message.ts");
    const steps = await assertConnection(c, settings, TESTED, await composeMessage(settings, content));
    return c.json(envelope("OK", "Mail Sent Successfully to the user", { steps }));
  });
}

/**
 * Tests settings, and records a failure in the tenant's history.
 *
 * @param onSuccess recorded if the server accepts the settings
 * @param message to send; without it, the test ends after authentication
 * @returns the stages passed
 * @throws {ApiError} `smtp_failed` with the diagnosis
 */
export async function assertConnection(
  c: Context<AppEnv>,
  settings: Settings,
  onSuccess: HistoryEvent | undefined,
  message?: Message,
): Promise<readonly Step[]> {
  const { hostname, allowPrivateHosts } = c.var.config;
  const test = testConnection(settings, { clientName: hostname, allowPrivateHosts }, message);
  const result = await recordHistory(c, test, ({ ok }) => (ok ? onSuccess : { action: "test_refused" }));
  if (!result.ok) throw new ApiError("smtp_failed", { diagnosis: diagnose(result.failure, settings) });
  return result.steps;
}

async function testConnection(
  settings: Settings,
  options: SmtpSessionOptions,
  message: Message | undefined,
): Promise<SmtpResult> {
  // Loaded on demand: most requests only read or save, and many start an isolate.
  const { SmtpSession } = await import("../smtp/session.ts");
  const session = new SmtpSession(settings, options);
  try {
    const opened = await session.open();
    return opened.ok && message !== undefined ? await session.send(message) : opened;
  } finally {
    session.close();
  }
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

async function settingsToTest(c: Context<AppEnv>, sent: Settings | undefined): Promise<Settings> {
  const { tenant, config } = c.var;
  const readStored = async () => (await storeOf(c).read(tenant))?.settings;
  if (sent === undefined) {
    const stored = await readStored();
    if (stored === undefined) throw new ApiError("nothing_stored");
    // Stored while private hosts were allowed.
    const problem = destinationProblem(stored.host, config);
    if (problem !== undefined) throw new ApiError("invalid_fields", { errors: [problem] });
    return stored;
  }
  const problem = destinationProblem(sent.host, config);
  if (problem !== undefined) throw invalidSettings(problem);
  if (!usesMaskedPassword(sent)) return sent;
  const kept = withStoredPassword(sent, await readStored());
  if ("error" in kept) throw invalidSettings(kept.error);
  return kept.settings;
}

/** Names the field as it stands in the body. */
function invalidSettings({ field, message }: FieldError): ApiError {
  return new ApiError("invalid_fields", { errors: [{ field: `settings.${field}`, message }] });
}

function ownAddress(email: string | undefined): string {
  if (email !== undefined && emailAddressProblem(email) === undefined) return email;
  const message = "is required, because the token has no valid email claim";
  throw new ApiError("invalid_fields", { errors: [{ field: "to", message }] });
}

function testMail(tenant: string, to: string, id: string): MailContent {
  const text = `This is a test of the email settings of ${tenant}. It arrived, so they work: there is nothing to do.`;
  return {
    to,
    subject: `Email settings of ${tenant}: it works`,
    text: `${text}\n`,
    html: `<p>${text}</p>`,
    id,
  };
}
