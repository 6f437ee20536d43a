import { type Context, Hono } from "hono";
import { validator } from "hono/validator";
import type * as z from "zod/mini";
import type { Config } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { envelope } from "../http/envelope.ts";
import { invalidFields, validQuery } from "../http/validation.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { parseIdempotencyKey } from "./idempotency-key.ts";
import type { ChangeResult } from "./outbox.ts";
import { callOutbox } from "./outbox-client.ts";
import { batchSchema, listQuerySchema, type Mail, mailSchema, REQUEST_MAX_BYTES } from "./schema.ts";
import type { MailStatus } from "./status.ts";
import { submit } from "./submit.ts";

/** Sends mail, and reports and manages what was sent. */
export function deliveryRoutes() {
  const sender = authenticate(({ senderRoles }) => senderRoles);
  const senderOrAdministrator = authenticate(({ senderRoles, adminRoles }: Config) => [
    ...senderRoles,
    ...adminRoles,
  ]);
  return new Hono<AppEnv>()
    .post("/", sender, jsonBody(REQUEST_MAX_BYTES), mailBody(), async (c) => {
      const sent = c.req.valid("json");
      const key = idempotencyKeyOf(c);
      const result = await submit(c.env, c.var.config, c.var.tenant, sent, key);
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
      const filter = { state, tag, before: cursor, limit: limit + 1 };
      const found = await callOutbox(c.env, c.var.tenant, (outbox) => outbox.list(filter));
      const messages = found.slice(0, limit);
      const last = messages.at(-1);
      const next = found.length > limit && last !== undefined ? { cursor: last.id } : {};
      return c.json(envelope("OK", "Successfully read mails", { messages, ...next }));
    })
    .get("/:id", senderOrAdministrator, async (c) => {
      const id = c.req.param("id");
      const mail = await callOutbox(c.env, c.var.tenant, (outbox) => outbox.get(id));
      if (mail === undefined) throw new ApiError("mail_not_found");
      return c.json(envelope("OK", "Successfully read the mail", mail));
    })
    .delete("/:id", senderOrAdministrator, async (c) => {
      const id = c.req.param("id");
      const mail = changed(
        await callOutbox<ChangeResult>(c.env, c.var.tenant, (outbox) => outbox.cancel(id)),
      );
      return c.json(envelope("OK", "Successfully canceled the mail", mail));
    })
    .post("/:id/retry", senderOrAdministrator, async (c) => {
      const id = c.req.param("id");
      const mail = changed(await callOutbox<ChangeResult>(c.env, c.var.tenant, (outbox) => outbox.retry(id)));
      return c.json(envelope("OK", "Successfully queued the mail again", mail));
    });
}

/** Validates one mail or an array of mails. */
function mailBody() {
  type Input = z.input<typeof mailSchema> | z.input<typeof batchSchema>;
  return validator("json", (value: Input): Mail | Mail[] => {
    const result = (Array.isArray(value) ? batchSchema : mailSchema).safeParse(value);
    if (!result.success) throw invalidFields(result.error.issues);
    return result.data;
  });
}

function idempotencyKeyOf(c: Context): string | undefined {
  const header = c.req.header("Idempotency-Key");
  if (header === undefined) return undefined;
  const key = parseIdempotencyKey(header);
  if (key !== undefined) return key;
  const message = "must have 1 to 255 printable ASCII characters, with or without quotes";
  throw new ApiError("invalid_fields", { errors: [{ field: "Idempotency-Key", message }] });
}

function changed(result: ChangeResult): MailStatus {
  switch (result.kind) {
    case "changed":
      return result.mail;
    case "not_found":
      throw new ApiError("mail_not_found");
    case "wrong_state":
      throw new ApiError("wrong_mail_state", { state: result.state });
    case "full":
      throw new ApiError("outbox_full");
    case "unreadable":
      throw new ApiError("record_unreadable", { kid: result.kid, reason: result.reason });
  }
}
