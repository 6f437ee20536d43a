import { zValidator } from "@hono/zod-validator";
import { type Context, Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { ApiError, type FieldError } from "../errors.ts";
import { type TestTarget, truncateTarget } from "../history/event.ts";
import { recordHistory } from "../history/record.ts";
import { envelope } from "../http/envelope.ts";
import { invalidFields } from "../http/validation.ts";
import { emailAddressProblem } from "../mail/address.ts";
import type { MailContent } from "../mail/message.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { optionalJsonBody } from "../middleware/json-body.ts";
import { destinationProblem } from "../smtp/destination.ts";
import { diagnose } from "../smtp/diagnosis.ts";
import type { SmtpResult, Step } from "../smtp/result.ts";
import type { SmtpSessionOptions } from "../smtp/session.ts";
import { lacksMandatoryField, type Settings, testSchema } from "./schema.ts";
import { storeOf } from "./store.ts";
import { usesMaskedPassword, withStoredPassword } from "./stored-password.ts";

/** When a caller may try again after too many tests, in seconds: the period of the rate limit. */
const RATE_LIMIT_RETRY_AFTER_SECONDS = 60;

/** When a caller may try again after the rate limiter has failed, in seconds. */
const RATE_LIMITER_RETRY_AFTER_SECONDS = 2;

/** Tests a tenant's settings: the stored ones, or those in the request. */
export function connectionTestRoutes() {
  return new Hono<AppEnv>().post("/", authenticate(), optionalJsonBody(), testBody(), async (c) => {
    const { tenant, caller, requestId } = c.var;
    const { to, mode, settings: sent } = c.req.valid("json");
    const settings = await settingsToTest(c, sent ?? undefined);
    const source = sent ? "sent" : "stored";
    if (mode === "probe") {
      const steps = await assertConnection(c, settings, source, { records: "any outcome" });
      return c.json(envelope("OK", "The SMTP server accepts these settings. No mail was sent.", { steps }));
    }
    const mail = testMail(tenant, to ?? ownAddress(caller.email), requestId);
    const steps = await assertConnection(c, settings, source, { records: "any outcome", mail });
    return c.json(envelope("OK", "Mail Sent Successfully to the user", { steps }));
  });
}

/**
 * Tests settings, and records the test in the tenant's history.
 *
 * @param source of the settings
 * @param records which outcomes; a save records its own success
 * @param mail to send; without it, the test ends after authentication
 * @returns the stages passed
 * @throws {ApiError} `smtp_failed` with the diagnosis; `too_many_tests` and `rate_limiter_unavailable` without
 * contacting the server
 */
export async function assertConnection(
  c: Context<AppEnv>,
  settings: Settings,
  source: TestTarget["settings"],
  { records, mail }: { records: "any outcome" | "failure"; mail?: MailContent },
): Promise<readonly Step[]> {
  await assertWithinRateLimit(c);
  const { host, port } = settings;
  const target = { host, port, ...(mail === undefined ? {} : { to: mail.to }), settings: source };
  c.set("test", truncateTarget(target));
  const { hostname, allowPrivateHosts } = c.var.config;
  const test = testConnection(settings, { clientName: hostname, allowPrivateHosts }, mail);
  const result = await recordHistory(c, test, ({ ok }) => {
    if (ok && records === "failure") return undefined;
    return { action: ok ? "tested" : "test_refused", test: target };
  });
  if (!result.ok) throw new ApiError("smtp_failed", { diagnosis: diagnose(result.failure, settings) });
  return result.steps;
}

async function testConnection(
  settings: Settings,
  options: SmtpSessionOptions,
  mail: MailContent | undefined,
): Promise<SmtpResult> {
  // Loaded on demand: most requests only read or save, and many start an isolate.
  const [{ SmtpSession }, { composeMessage }] = await Promise.all([
    import("../smtp/session.ts"),
    import("../mail/message.ts"),
  ]);
  const message = mail === undefined ? undefined : await composeMessage(settings, mail);
  const session = new SmtpSession(settings, options);
  try {
    const opened = await session.open();
    return opened.ok && message !== undefined ? await session.send(message) : opened;
  } finally {
    session.close();
  }
}

/** A test dials a server of the caller's choice: without a limit it guesses passwords and sends spam. */
async function assertWithinRateLimit(c: Context<AppEnv>): Promise<void> {
  const { success } = await c.env.TEST_RATE_LIMITER.limit({ key: c.var.tenant }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "unknown";
    const retryAfterSeconds = RATE_LIMITER_RETRY_AFTER_SECONDS;
    throw new ApiError("rate_limiter_unavailable", { reason, retryAfterSeconds });
  });
  if (!success) throw new ApiError("too_many_tests", { retryAfterSeconds: RATE_LIMIT_RETRY_AFTER_SECONDS });
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
  const kept = withStoredPassword(sent, await readStored(), "test");
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
