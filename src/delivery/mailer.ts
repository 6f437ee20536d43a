import { WorkerEntrypoint } from "cloudflare:workers";
import type * as z from "zod/mini";
import { loadConfig } from "../config.ts";
import { ApiError, type ApiErrorKind, contentOf, type FieldError } from "../errors.ts";
import { isTenantId } from "../http/tenant-id.ts";
import { invalidFields } from "../http/validation.ts";
import { outboxOf, submit } from "./client.ts";
import { parseIdempotencyKey } from "./idempotency-key.ts";
import { mailSchema } from "./schema.ts";
import type { MailStatus } from "./status.ts";
import type { MailState } from "./store.ts";

/** Rights of a calling Worker, from `[services.props]` of its own wrangler.toml. */
export interface MailerProps {
  /** Its name, for the log. */
  service: string;
  /** Ids of the tenants that it may send for; `"*"` for all. */
  tenants: readonly string[] | "*";
}

/**
 * The outcome of `send`. A value, because RPC keeps neither the class of an error nor its own properties.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/rpc/error-handling/
 */
export type SendResult =
  | { ok: true; id: string; state: MailState; replayed: boolean }
  | { ok: false; error: ApiErrorKind; message: string; errors?: readonly FieldError[] };

/**
 * Sends mail for Workers of the same account, over a service binding. Whoever may deploy in the account writes
 * the props, so they authorize by the right to deploy. A binding without props is rejected.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/rpc/
 */
export class Mailer extends WorkerEntrypoint<Env, Partial<MailerProps>> {
  /**
   * Accepts a mail for delivery. It is durable when this returns.
   *
   * @throws {Error} if the props do not allow the tenant, or the store is unavailable
   */
  async send(
    tenant: string,
    mail: z.input<typeof mailSchema>,
    { idempotencyKey }: { idempotencyKey?: string } = {},
  ): Promise<SendResult> {
    this.#authorize(tenant);
    const parsed = mailSchema.safeParse(mail);
    if (!parsed.success) return rejected(invalidFields(parsed.error.issues));
    const key = idempotencyKey === undefined ? undefined : parseIdempotencyKey(idempotencyKey);
    if (key === undefined && idempotencyKey !== undefined) {
      const message = "must have 1 to 255 printable ASCII characters";
      return rejected(new ApiError("invalid_fields", { errors: [{ field: "idempotencyKey", message }] }));
    }
    const result = await submit(this.env, await loadConfig(this.env), tenant, [parsed.data], key);
    if (result.kind === "nothing_stored") return rejected(new ApiError("nothing_stored"));
    if (result.kind === "key_reused") return rejected(new ApiError("idempotency_key_reused"));
    const [accepted] = result.kind === "accepted" ? result.messages : [];
    if (result.kind === "full" || accepted === undefined) {
      return rejected(new ApiError("outbox_full", { retryAfterSeconds: 60 }));
    }
    return { ok: true, ...accepted, replayed: result.replayed };
  }

  /**
   * Reports a mail.
   *
   * @returns `undefined` if no mail has this id
   */
  async status(tenant: string, id: string): Promise<MailStatus | undefined> {
    this.#authorize(tenant);
    return outboxOf(this.env, tenant).get(id);
  }

  #authorize(tenant: string): void {
    const { service, tenants } = this.ctx.props;
    const isAllowed = tenants === "*" || (Array.isArray(tenants) && tenants.includes(tenant));
    if (typeof service !== "string" || !isAllowed || !isTenantId(tenant)) {
      throw new Error("The props of the service binding do not allow this tenant.");
    }
  }
}

function rejected<Kind extends ApiErrorKind>(error: ApiError<Kind>): SendResult {
  const { message, members } = contentOf(error);
  return { ok: false, error: error.kind, message, ...members };
}
