import { RefusedError } from "../errors.ts";
import type { Settings } from "../settings/schema.ts";
import { converse, type Errand } from "./client.ts";
import { SmtpFailure, type Step } from "./conversation.ts";
import type { DestinationPolicy } from "./destination.ts";
import { diagnose } from "./diagnosis.ts";

/**
 * Tries settings out on behalf of somebody who waits for the outcome.
 *
 * @returns the stages passed
 * @throws {RefusedError} `smtp_failed` with a diagnosis, or `invalid_fields` for a forbidden host
 */
export async function attempt(
  settings: Settings,
  errand: Errand,
  policy: DestinationPolicy,
): Promise<Step[]> {
  try {
    return await converse(settings, errand, policy);
  } catch (error) {
    if (!(error instanceof SmtpFailure)) throw error;
    throw new RefusedError({ kind: "smtp_failed", diagnosis: diagnose(error, settings) });
  }
}
