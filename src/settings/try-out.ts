import type { Context } from "hono";
import { RefusedError } from "../errors.ts";
import { type Deed, remember } from "../history/remember.ts";
import type { AppEnv } from "../http/app-env.ts";
import { SmtpFailure, type Step } from "../smtp/conversation.ts";
import { diagnose } from "../smtp/diagnosis.ts";
import type { Message } from "../smtp/message.ts";
import type { Settings } from "./schema.ts";

/**
 * Tries settings out for a caller who waits for the outcome, and notes it in the tenant's history.
 *
 * @param onSuccess what is noted if the server takes the settings; nothing, where more is to come
 * @returns the stages passed
 * @throws {RefusedError} `smtp_failed` with a diagnosis, or `invalid_fields` for a forbidden host
 */
export async function tryOut(
  c: Context<AppEnv>,
  settings: Settings,
  onSuccess: Deed | undefined,
  message?: Message,
): Promise<Step[]> {
  const { config } = c.var;
  const errand = { clientName: config.hostname, ...(message === undefined ? {} : { message }) };
  // Loaded when it is needed: most visits only read or save, and start the Worker anew.
  const { converse } = await import("../smtp/client.ts");
  const conversation = converse(settings, errand, config);
  remember(
    c,
    conversation.then(
      () => onSuccess,
      (error) => (error instanceof SmtpFailure ? { action: "test_refused" } : undefined),
    ),
  );
  try {
    return await conversation;
  } catch (error) {
    if (!(error instanceof SmtpFailure)) throw error;
    throw new RefusedError({ kind: "smtp_failed", diagnosis: diagnose(error, settings) });
  }
}
