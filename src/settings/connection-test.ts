import { zValidator } from "@hono/zod-validator";
import { type Context, Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { hostLookup } from "../dns/host-lookup.ts";
import { ApiError, type FieldError } from "../errors.ts";
import { recordHistory, type TestTarget, truncateTarget } from "../history/record.ts";
import { envelope } from "../http/envelope.ts";
import { invalidFields } from "../http/validation.ts";
import { emailAddressProblem } from "../mail/address.ts";
import type { MailContent } from "../mail/message.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { optionalJsonBody } from "../middleware/json-body.ts";
import { destinationProblem } from "../smtp/destination.ts";
import type { Diagnosis } from "../smtp/diagnosis.ts";
import type { SmtpFailure, SmtpResult, Step } from "../smtp/result.ts";
import { lacksMandatoryField, type Settings, testSchema } from "./schema.ts";
import { storeOf } from "./store.ts";
import { usesMask, withStoredSecrets } from "./stored-secrets.ts";
import { tokenSettingsOf, tokenSettingsProblem } from "./token-settings.ts";

/** Tests a tenant's settings: the stored ones, or those in the request. */
export function connectionTestRoutes() {
  return new Hono<AppEnv>().post(
    "/",
    authenticate(({ adminRoles }) => adminRoles),
    optionalJsonBody(),
    testBody(),
    async (c) => {
      const { to, mode = "send", settings: sent } = c.req.valid("json");
      if (mode === "probe" && to !== undefined) throw invalidField("to", "must be absent from a probe");
      const settings = await settingsToTest(c, sent ?? undefined);
      const recipient = mode === "send" ? (to ?? ownAddress(c.var.caller.email)) : undefined;
      const source = sent ? "sent" : "stored";
      const { steps } = await assertConnection(c, settings, source, { recipient, records: "any outcome" });
      const message =
        recipient === undefined
          ? "The SMTP server accepts these settings. No mail was sent."
          : "Mail Sent Successfully to the user";
      return c.json(envelope("OK", message, { steps }));
    },
  );
}

/**
 * Tests settings, and records the test in the tenant's history.
 *
 * @param source of the settings
 * @param recipient of a test mail; without one, no mail is sent
 * @param records which outcomes; a save records its own success
 * @returns the stages passed, and what was contacted
 * @throws {ApiError} `smtp_failed` with the diagnosis; `too_many_tests` and `rate_limiter_unavailable` without
 * contacting the server
 */
export async function assertConnection(
  c: Context<AppEnv>,
  settings: Settings,
  source: TestTarget["settings"],
  { recipient, records }: { recipient?: string | undefined; records: "any outcome" | "failure" },
): Promise<{ steps: readonly Step[]; target: TestTarget }> {
  await assertWithinRateLimit(c);
  const { host, port } = settings;
  const target = { host, port, ...(recipient === undefined ? {} : { to: recipient }), settings: source };
  c.set("test", truncateTarget(target));
  const result = await recordHistory(c, testConnection(c, settings, recipient), ({ ok }) => {
    if (ok && records === "failure") return undefined;
    return { action: ok ? "tested" : "test_refused", test: target };
  });
  if (!result.ok) {
    const diagnosis = await diagnosisOf(result.failure, settings, c.var.config.hostname);
    throw new ApiError("smtp_failed", { diagnosis });
  }
  return { steps: result.steps, target };
}

/** Explains a failure. Loaded on demand: most tests succeed. */
async function diagnosisOf(failure: SmtpFailure, settings: Settings, clientName: string): Promise<Diagnosis> {
  const [{ explain }, { mayHaveArrived }] = await Promise.all([
    import("../smtp/explain.ts"),
    import("../smtp/diagnosis.ts"),
  ]);
  const { diagnosis } = explain(failure, { settings, clientName });
  return failure.contentSent ? mayHaveArrived(diagnosis) : diagnosis;
}

/** Opens a session, sends a mail or probes for one, and closes. */
async function testConnection(
  c: Context<AppEnv>,
  settings: Settings,
  recipient: string | undefined,
): Promise<SmtpResult> {
  const { tenant, caller, requestId } = c.var;
  const { hostname, allowPrivateHosts, dohUrl } = c.var.config;
  // Loaded on demand: most requests only read or save, and many start an isolate.
  const [{ SmtpSession }, { composeMessage, messageIdFor }, { requestToken }] = await Promise.all([
    import("../smtp/session.ts"),
    import("../mail/message.ts"),
    import("../oauth/token-request.ts"),
  ]);
  const to = recipient ?? validAddressOf(caller.email) ?? settings.from;
  const content = testMail(tenant, to, messageIdFor(requestId, settings));
  const message = composeMessage(settings, content);
  const tokenSettings = tokenSettingsOf(settings);
  const session = new SmtpSession(settings, {
    clientName: hostname,
    allowPrivateHosts,
    hostExists: hostLookup(dohUrl),
    // Never cached, so that an expired secret shows.
    ...(tokenSettings && { accessToken: () => requestToken(tokenSettings, { allowPrivateHosts, hostname }) }),
  });
  try {
    const opened = await session.open();
    if (!opened.ok) return opened;
    return recipient === undefined ? await session.probe(message) : await session.send(message);
  } finally {
    void session.close();
  }
}

/** A test dials a server of the caller's choice: without a limit it guesses passwords and sends spam. */
async function assertWithinRateLimit(c: Context<AppEnv>): Promise<void> {
  const { success } = await c.env.TEST_RATE_LIMITER.limit({ key: c.var.tenant }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "unknown";
    throw new ApiError("rate_limiter_unavailable", { reason });
  });
  if (!success) throw new ApiError("too_many_tests");
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
    const problem = destinationProblem(stored.host, config) ?? (await tokenSettingsProblem(stored, config));
    if (problem !== undefined) throw new ApiError("invalid_fields", { errors: [problem] });
    return stored;
  }
  const problem = destinationProblem(sent.host, config) ?? (await tokenSettingsProblem(sent, config));
  if (problem !== undefined) throw invalidSettings(problem);
  if (!usesMask(sent)) return sent;
  const kept = withStoredSecrets(sent, await readStored(), "test");
  if ("error" in kept) throw invalidSettings(kept.error);
  return kept.settings;
}

/** Names the field as it stands in the body. */
function invalidSettings({ field, message }: FieldError): ApiError {
  return invalidField(`settings.${field}`, message);
}

function invalidField(field: string, message: string): ApiError {
  return new ApiError("invalid_fields", { errors: [{ field, message }] });
}

function ownAddress(email: string | undefined): string {
  const address = validAddressOf(email);
  if (address === undefined)
    throw invalidField("to", "is required, because the token has no valid email claim");
  return address;
}

function validAddressOf(email: string | undefined): string | undefined {
  return email !== undefined && emailAddressProblem(email) === undefined ? email : undefined;
}

function testMail(tenant: string, to: string, messageId: string): MailContent {
  const text = `This is a test of the email settings of ${tenant}. It arrived, so they work: there is nothing to do.`;
  return {
    to,
    subject: `Email settings of ${tenant}: it works`,
    text: `${text}\n`,
    html: `<p>${text}</p>`,
    messageId,
  };
}
