import { type Context, Hono } from "hono";
import { validator } from "hono/validator";
import type * as z from "zod/mini";
import type { Config } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { defined } from "../defined.ts";
import { ApiError, secondsUntil } from "../errors.ts";
import { envelope } from "../http/envelope.ts";
import { invalidFields, validQuery } from "../http/validation.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { validIdempotencyKey } from "./idempotency-key.ts";
import type { ChangeResult, Outbox } from "./outbox.ts";
import { callOutbox } from "./outbox-client.ts";
import { batchSchema, listQuerySchema, type Mail, mailSchema, REQUEST_MAX_BYTES } from "./schema.ts";
import type { MailStatus } from "./status.ts";
import { submit } from "./submit.ts";

const READING = { isIdempotent: true };

/** Accepts messages, and reports, deletes and retries them. */
export function deliveryRoutes() {
  const sender = authenticate(({ senderRoles }) => senderRoles);
  const senderOrAdministrator = authenticate(({ senderRoles, adminRoles }: Config) => [
    ...senderRoles,
    ...adminRoles,
  ]);
  return new Hono<AppEnv>()
    .post("/", sender, jsonBody(REQUEST_MAX_BYTES), mailBody(), async (c) => {
      const sent = c.req.valid("json");
      const header = c.req.header("Idempotency-Key");
      const idempotencyKey = validIdempotencyKey(header, "Idempotency-Key");
      const { application } = c.var.caller;
      const by = { application, idempotencyKey };
      const result = await submit(c.env, c.var.config, c.var.tenant, sent, by);
      if (result.replayed) c.header("Idempotent-Replayed", "true");
      const { messages } = result;
      const [first] = messages;
      if (Array.isArray(sent) || first === undefined) {
        return c.json(envelope("ACCEPTED", "Accepted for delivery", { messages }), 202);
      }
      c.header("Location", `${new URL(c.req.url).pathname}/${first.id}`);
      return c.json(envelope("ACCEPTED", "Accepted for delivery", first), 202);
    })
    .get("/", senderOrAdministrator, validQuery(listQuerySchema), async (c) => {
      const { state, tag, limit, cursor } = c.req.valid("query");
      const filter = { application: ownApplication(c), state, tag, before: cursor, limit: limit + 1 };
      const found = await callOutbox(c.env, c.var.tenant, (outbox) => outbox.list(filter), READING);
      const messages = found.slice(0, limit);
      const cursorOfNext = found.length > limit ? messages.at(-1)?.id : undefined;
      const page = defined({ messages, cursor: cursorOfNext });
      return c.json(envelope("OK", "Successfully read messages", page));
    })
    .get("/:id", senderOrAdministrator, async (c) => {
      const id = c.req.param("id");
      const mail = await callOutbox(
        c.env,
        c.var.tenant,
        (outbox) => outbox.get(id, ownApplication(c)),
        READING,
      );
      if (mail === undefined) throw new ApiError("mail_not_found");
      return c.json(envelope("OK", "Successfully read the mail", mail));
    })
    .delete("/:id", senderOrAdministrator, async (c) => {
      const id = c.req.param("id");
      const mail = await change(c, (outbox) => outbox.delete(id, ownApplication(c)));
      const message =
        mail.state === "canceled"
          ? "Successfully canceled the mail"
          : "Successfully deleted the content of the mail";
      return c.json(envelope("OK", message, mail));
    })
    .post("/:id/retry", senderOrAdministrator, async (c) => {
      const id = c.req.param("id");
      const mail = await change(c, (outbox) => outbox.retry(id, ownApplication(c)));
      return c.json(envelope("OK", "Successfully queued the mail again", mail));
    });
}

/** The application that a caller is limited to: senders manage their own messages, administrators all. */
function ownApplication({ var: { caller, isAdministrator } }: Context<AppEnv>): string | undefined {
  return isAdministrator ? undefined : caller.application;
}

/** Validates one message, or an array of them. */
function mailBody() {
  type Input = z.input<typeof mailSchema> | z.input<typeof batchSchema>;
  return validator("json", (value: Input): Mail | Mail[] => {
    const result = (Array.isArray(value) ? batchSchema : mailSchema).safeParse(value);
    if (!result.success) throw invalidFields(result.error.issues);
    return result.data;
  });
}

/** Changes one message. Not repeated: the second call would find the state that the first one left. */
async function change(
  { env, var: { tenant } }: Context<AppEnv>,
  call: (outbox: DurableObjectStub<Outbox>) => Promise<ChangeResult>,
): Promise<MailStatus> {
  const result = await callOutbox(env, tenant, call, { isIdempotent: false });
  switch (result.kind) {
    case "changed":
      return result.mail;
    case "not_found":
      throw new ApiError("mail_not_found");
    case "wrong_state":
      throw new ApiError("wrong_mail_state", { state: result.state });
    case "content_deleted":
      throw new ApiError("content_deleted");
    case "full":
      throw new ApiError("outbox_full", { retryAfterSeconds: secondsUntil(result.roomAt) });
    case "store_unavailable":
      throw new ApiError("store_unavailable", { reason: result.reason });
    case "unreadable":
      throw new ApiError("record_unreadable", { kid: result.kid, reason: result.reason });
  }
}
