import { ApiError, reasonOf, secondsUntil } from "../errors.ts";
import { log } from "../log.ts";
import type { Settings } from "../settings/schema.ts";
import type { SmtpResult } from "../smtp/result.ts";
import { authenticates } from "../smtp/smtp-settings.ts";
import type { SealingKeys } from "../storage/sealing.ts";
import { loginFingerprints } from "./login-fingerprint.ts";
import { loginOutcomeOf } from "./login-limit.ts";
import { callOutbox } from "./outbox-client.ts";

/**
 * Runs a session outside the outbox within the tenant's limit of logins.
 *
 * @returns the result of the session
 * @throws {ApiError} `too_many_logins` without running it; `outbox_unavailable`
 */
export async function withLoginLimit(
  env: Env,
  { tenant, settings, keys }: { tenant: string; settings: Settings; keys: SealingKeys },
  session: () => Promise<SmtpResult>,
): Promise<SmtpResult> {
  if (!authenticates(settings)) return session();
  const fingerprints = await loginFingerprints(settings, keys);
  // Not repeated: each call may count.
  const login = await callOutbox(env, tenant, async (outbox) => outbox.beginLogin(fingerprints), {
    isIdempotent: false,
  });
  if (login.kind === "limited") {
    throw new ApiError("too_many_logins", { retryAfterSeconds: secondsUntil(login.until) });
  }
  const result = await session();
  if (login.kind === "counted") {
    const outcome = loginOutcomeOf(result);
    try {
      await callOutbox(env, tenant, (outbox) => outbox.endLogin(fingerprints, login.at, outcome), {
        isIdempotent: true,
      });
    } catch (error) {
      // The login still counts, and nothing else is lost.
      log("error", "login not ended", { tenant, reason: reasonOf(error) });
    }
  }
  return result;
}
