import { WorkerEntrypoint } from "cloudflare:workers";
import type * as z from "zod/mini";
import { loadConfig } from "../config.ts";
import { ApiError, type ApiErrorKind, contentOf, type FieldError } from "../errors.ts";
import { toApiError } from "../http/error-response.ts";
import { isTenantId } from "../http/tenant-id.ts";
import { invalidField, invalidFields } from "../http/validation.ts";
import { log } from "../log.ts";
import { validIdempotencyKey } from "./idempotency-key.ts";
import type { MailState } from "./mail-row.ts";
import { callOutbox } from "./outbox-client.ts";
import { type Mail, mailSchema, REQUEST_MAX_BYTES } from "./schema.ts";
import type { MailStatus } from "./status.ts";
import { submit } from "./submit.ts";

/** Rights of a calling Worker, from `[services.props]` of its own wrangler.toml. */
export interface MailerProps {
  /** Its name, for the log. */
  service: string;
  /** Ids of the tenants that it may send for; `"*"` for all. */
  tenants: readonly string[] | "*";
}

/** A message as the HTTP API takes it. */
export type MailInput = z.input<typeof mailSchema>;

/**
 * The outcome of `send`, with errors as in the HTTP API. A value, because RPC keeps neither the class of an error
 * nor its own properties.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/rpc/error-handling/
 */
type SendResult =
  | { ok: true; id: string; state: MailState; replayed: boolean }
  | { ok: false; error: ApiErrorKind; message: string; errors?: readonly FieldError[] };

/**
 * Sends mail for Workers of the same account, over a service binding. Those who may deploy in the account write
 * the props, so a binding authorizes by the right to deploy. A binding without props is rejected.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/rpc/
 */
export class Mailer extends WorkerEntrypoint<Env, Partial<MailerProps>> {
  /**
   * Accepts a message for delivery. It is durable when this returns.
   *
   * @throws {Error} if the props do not allow the tenant
   */
  async send(
    tenant: string,
    mail: MailInput,
    options: { idempotencyKey?: string } = {},
  ): Promise<SendResult> {
    this.#authorize(tenant);
    // One line per call, as there is no request to log.
    const call = { service: this.ctx.props.service, tenant };
    try {
      const config = await loadConfig(this.env);
      const { messages, replayed } = await submit(this.env, config, tenant, valid(mail), {
        application: this.#application,
        idempotencyKey: validKey(options),
      });
      const [accepted] = messages;
      if (accepted === undefined) throw new ApiError("internal");
      log("info", "mailer", { ...call, id: accepted.id, replayed });
      return { ok: true, ...accepted, replayed };
    } catch (thrown) {
      const error = toApiError(thrown);
      const { httpStatus, message, members } = contentOf(error);
      const reason = "reason" in error.details ? error.details.reason : undefined;
      log(httpStatus < 500 ? "info" : "error", "mailer", { ...call, error: error.kind, reason });
      return { ok: false, error: error.kind, message, ...members };
    }
  }

  /**
   * Reports a message that this service has sent.
   *
   * @returns `undefined` if none of them has this id
   * @throws {Error} if the props do not allow the tenant, or the outbox is unavailable
   */
  async status(tenant: string, id: string): Promise<MailStatus | undefined> {
    this.#authorize(tenant);
    return callOutbox(this.env, tenant, (outbox) => outbox.get(id, this.#application), {
      isIdempotent: true,
    });
  }

  /** Unlike any application with a token: that begins with an address. */
  get #application(): string {
    return JSON.stringify(["service", this.ctx.props.service]);
  }

  #authorize(tenant: string): void {
    const { service, tenants } = this.ctx.props;
    const isAllowed = tenants === "*" || (Array.isArray(tenants) && tenants.includes(tenant));
    if (typeof service === "string" && isAllowed && isTenantId(tenant)) return;
    const shown = isTenantId(tenant) ? tenant : undefined;
    log("error", "mailer", { service, tenant: shown, error: "forbidden" });
    throw new Error("The props of the service binding do not allow this tenant.");
  }
}

/** RPC checks no types, so a caller may send anything. */
function validKey(options: unknown): string | undefined {
  if (typeof options !== "object" || options === null) {
    throw invalidField({ field: "options", message: "must be an object" });
  }
  return validIdempotencyKey(
    "idempotencyKey" in options ? options.idempotencyKey : undefined,
    "idempotencyKey",
  );
}

function valid(mail: unknown): Mail {
  // An RPC call may carry 32 MiB.
  const { byteLength } = new TextEncoder().encode(toJson(mail));
  if (byteLength > REQUEST_MAX_BYTES)
    throw new ApiError("content_too_large", { maxBytes: REQUEST_MAX_BYTES });
  const result = mailSchema.safeParse(mail);
  if (!result.success) throw invalidFields(result.error.issues);
  return result.data;
}

/** RPC carries more than JSON does, such as a BigInt, or an object that contains itself. */
function toJson(mail: unknown): string | undefined {
  try {
    return JSON.stringify(mail);
  } catch {
    throw invalidField({ field: "body", message: "must be a message that JSON can express" });
  }
}
