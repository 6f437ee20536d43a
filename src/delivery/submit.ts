import type { Config } from "../config.ts";
import { ApiError, secondsUntil } from "../errors.ts";
import { SettingsStore } from "../settings/store.ts";
import { fingerprint } from "../storage/sealing.ts";
import type { AcceptResult } from "./acceptance.ts";
import type { SubmitResult } from "./outbox.ts";
import { callOutbox } from "./outbox-client.ts";
import type { Mail } from "./schema.ts";
import { sealMail } from "./sealed-mail.ts";

/**
 * Submits one message, or several that are accepted or rejected as one, to a tenant's outbox. They are durable, and
 * nobody has been contacted, when this returns.
 *
 * @param by the application that submits them, and its key for this request, honored for 7 days
 * @throws {ApiError} `nothing_stored`, `idempotency_key_reused`, `outbox_full`, `outbox_unavailable`,
 * `store_unavailable`
 * @throws {KvError}
 * @throws {SealingError}
 */
export async function submit(
  env: Env,
  { settingsKeys }: Config,
  tenant: string,
  sent: Mail | readonly Mail[],
  by: { application: string; idempotencyKey: string | undefined },
): Promise<AcceptResult & { kind: "accepted" }> {
  const { application, idempotencyKey } = by;
  const [{ kid }] = settingsKeys;
  const settings = await new SettingsStore(env.SMTP_SETTINGS, settingsKeys).read(tenant);
  const messages = "to" in sent ? [sent] : sent;
  const sealed = await Promise.all(
    messages.map(async ({ tag, expiresIn, ...mail }) => ({
      content: await sealMail(tenant, mail, settingsKeys),
      tag,
      lifetimeMs: expiresIn * 1000,
    })),
  );
  const idempotency =
    idempotencyKey === undefined
      ? undefined
      : {
          key: idempotencyKey,
          fingerprints: await fingerprint("idempotencyKeys", JSON.stringify(sent), settingsKeys),
        };
  const isStored = settings !== undefined;
  const result = await callOutbox<SubmitResult>(
    env,
    tenant,
    (outbox) => outbox.accept({ messages: sealed, idempotency, application, kid }, isStored),
    // Without a key, the outbox would not recognize the messages, and send them twice.
    { isIdempotent: idempotency !== undefined },
  );
  if (result.kind === "outbox_full") {
    throw new ApiError("outbox_full", { retryAfterSeconds: secondsUntil(result.roomAt) });
  }
  if (result.kind === "store_unavailable") {
    throw new ApiError("store_unavailable", { reason: result.reason });
  }
  if (result.kind !== "accepted") throw new ApiError(result.kind);
  return result;
}
