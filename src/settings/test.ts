import type * as z from "zod/mini";
import { defined } from "../defined.ts";
import { hostLookup } from "../dns/host-lookup.ts";
import { ApiError, type FieldError, secondsUntil } from "../errors.ts";
import type { TestTarget } from "../history/record.ts";
import { invalidField } from "../http/validation.ts";
import { emailAddressProblem } from "../mail/address.ts";
import type { MailContent } from "../mail/message.ts";
import type { Diagnosis } from "../smtp/diagnosis.ts";
import type { SmtpFailure, SmtpResult, Step } from "../smtp/result.ts";
import { policyProblem } from "./policy.ts";
import type { SettingsRequest } from "./request.ts";
import type { Settings, testSchema } from "./schema.ts";
import { usesMask, withStoredSecrets } from "./stored-secrets.ts";
import { tokenSettingsOf } from "./token-settings.ts";

/** The period of TEST_RATE_LIMITER in wrangler.toml. */
const RATE_LIMIT_PERIOD_MS = 60_000;

/**
 * Tests a tenant's settings: the stored ones, or those in the request.
 *
 * @returns the stages passed, and the recipient of the test message, if it sent one
 * @throws {ApiError} `invalid_fields`, `nothing_stored`; those of `assertConnection`
 * @throws {KvError}
 * @throws {SealingError}
 */
export async function testSettings(
  request: SettingsRequest,
  { to, mode = "send", settings: sent }: z.output<typeof testSchema>,
): Promise<{ steps: readonly Step[]; recipient: string | undefined }> {
  const isProbe = mode === "probe";
  if (isProbe && to !== undefined)
    throw invalidField({ field: "to", message: "must be absent from a probe" });
  const settings = await (sent ? completed(request, sent) : storedSettings(request));
  const recipient = isProbe ? undefined : (to ?? ownAddress(request));
  const options = { recipient, records: "any outcome" } as const;
  const { steps } = await assertConnection(request, settings, sent ? "sent" : "stored", options);
  return { steps, recipient };
}

async function storedSettings({ store, tenant, config }: SettingsRequest): Promise<Settings> {
  const settings = (await store.read(tenant))?.settings;
  if (settings === undefined) throw new ApiError("nothing_stored");
  // Stored while private hosts were allowed.
  const problem = await policyProblem(settings, config);
  if (problem !== undefined) throw invalidField(problem);
  return settings;
}

/** Sent settings, with the stored secrets in the place of masks. */
async function completed({ store, tenant, config }: SettingsRequest, sent: Settings): Promise<Settings> {
  const problem = await policyProblem(sent, config);
  if (problem !== undefined) throw invalidSettings(problem);
  if (!usesMask(sent)) return sent;
  const kept = withStoredSecrets(sent, (await store.read(tenant))?.settings, "test");
  if ("error" in kept) throw invalidSettings(kept.error);
  return kept.settings;
}

/** Names the field as it stands in the body. */
function invalidSettings({ field, message }: FieldError): ApiError {
  return invalidField({ field: `settings.${field}`, message });
}

function ownAddress({ caller }: SettingsRequest): string {
  const address = validAddressOf(caller.email);
  if (address !== undefined) return address;
  throw invalidField({ field: "to", message: "is required, because the token has no valid email claim" });
}

/**
 * Tests settings, and records the test in the tenant's history.
 *
 * @param source of the settings
 * @param recipient of a test mail; without one, nothing is sent
 * @param records which outcomes; a save records its own success
 * @returns the stages passed, and what was contacted
 * @throws {ApiError} `smtp_failed` with the diagnosis; `too_many_tests`, `too_many_logins`, `rate_limiter_unavailable`
 * and `outbox_unavailable` without contacting the server
 */
export async function assertConnection(
  request: SettingsRequest,
  settings: Settings,
  source: TestTarget["settings"],
  { recipient, records }: { recipient?: string | undefined; records: "any outcome" | "failure" },
): Promise<{ steps: readonly Step[]; target: TestTarget }> {
  await assertWithinRateLimit(request);
  const { host, port } = settings;
  const target = defined({ host, port, to: recipient, settings: source });
  request.logTest(target);
  const result = await request.recordHistory(
    request.withLoginLimit(settings, () => contact(request, settings, recipient)),
    ({ ok }) => {
      if (ok && records === "failure") return undefined;
      return { action: ok ? "tested" : "test_refused", test: target };
    },
  );
  if (result.ok) return { steps: result.steps, target };
  const diagnosis = await diagnosisOf(result.failure, settings, request.config.hostname);
  throw new ApiError("smtp_failed", { diagnosis });
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

/** Opens a session, sends a message or probes, and closes. */
async function contact(
  { tenant, caller, requestId, config }: SettingsRequest,
  settings: Settings,
  recipient: string | undefined,
): Promise<SmtpResult> {
  const { hostname, allowPrivateHosts, dohUrl } = config;
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
async function assertWithinRateLimit({ rateLimiter, tenant }: SettingsRequest): Promise<void> {
  const { success } = await rateLimiter.limit({ key: tenant }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "unknown";
    throw new ApiError("rate_limiter_unavailable", { reason });
  });
  if (!success)
    throw new ApiError("too_many_tests", { retryAfterSeconds: secondsUntil(nextPeriod(Date.now())) });
}

/**
 * When the rate limiter presumably begins a new count. It does not say so, and Miniflare counts by the minutes of the
 * clock.
 *
 * @see https://blog.cloudflare.com/counting-things-a-lot-of-different-things/
 */
function nextPeriod(now: number): number {
  return (Math.floor(now / RATE_LIMIT_PERIOD_MS) + 1) * RATE_LIMIT_PERIOD_MS;
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
