import { WorkerEntrypoint } from "cloudflare:workers";
import type * as z from "zod/mini";
import { loadConfig } from "../config.ts";
import { ApiError, type ApiErrorKind, contentOf } from "../errors.ts";
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
 * Sends mail for Workers of the same account, over a service binding. Whoever may deploy in the account writes
 * the props, so they authorize by the right to deploy. A binding without props is rejected.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/rpc/
 */
export class Mailer extends WorkerEntrypoint<Env, Partial<MailerProps>> {
  /**
   * Accepts a mail for delivery. It is durable when this returns.
   *
   * @throws {Error} whose `name` is the kind of error, as in the HTTP API
   */
  async send(
    tenant: string,
    mail: z.input<typeof mailSchema>,
    { idempotencyKey }: { idempotencyKey?: string } = {},
  ): Promise<{ id: string; state: MailState; replayed: boolean }> {
    this.#authorize(tenant);
    const parsed = mailSchema.safeParse(mail);
    if (!parsed.success) throw rpcError(invalidFields(parsed.error.issues));
    const key = idempotencyKey === undefined ? undefined : parseIdempotencyKey(idempotencyKey);
    if (key === undefined && idempotencyKey !== undefined) {
      const message = "must have 1 to 255 printable ASCII characters";
      throw rpcError(new ApiError("invalid_fields", { errors: [{ field: "idempotencyKey", message }] }));
    }
    const result = await submit(this.env, await loadConfig(this.env), tenant, [parsed.data], key);
    if (result.kind === "nothing_stored") throw rpcError(new ApiError("nothing_stored"));
    if (result.kind === "key_reused") throw rpcError(new ApiError("idempotency_key_reused"));
    const [accepted] = result.kind === "accepted" ? result.messages : [];
    if (result.kind === "full" || accepted === undefined) {
      throw rpcError(new ApiError("outbox_full", { retryAfterSeconds: 60 }));
    }
    return { ...accepted, replayed: result.replayed };
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

function rpcError<Kind extends ApiErrorKind>(error: ApiError<Kind>): Error {
  return Object.assign(new Error(contentOf(error).message), { name: error.kind });
}
