import * as z from "zod/mini";
import { FAMILIES } from "../context.ts";
import { described, okFields, optionalText } from "../http/response-schema.ts";
import { ACTIONS, type HistoryEntry, TESTED_SETTINGS, type TestTarget } from "./event.ts";

/** Claims of a caller's token. */
export const historyCallerSchema = z.object({
  sub: optionalText("Subject, which never changes."),
  preferred_username: optionalText("User name, which may change."),
  azp: optionalText("Client that the token was issued to."),
});

/** What a test contacted. */
export const testTargetSchema = z.object({
  host: described(z.string(), "SMTP server."),
  port: described(z.int(), "Port."),
  to: optionalText("Recipient of the test mail. Absent if none was sent."),
  settings: described(z.enum(TESTED_SETTINGS), "Whether the settings were stored, or sent with the request."),
}) satisfies z.ZodMiniType<TestTarget>;

/** One line of a tenant's history. */
export const historyEntrySchema = z.object({
  at: described(z.iso.datetime(), "Time (RFC 3339, UTC)."),
  action: described(z.enum(ACTIONS), "What happened. test_refused: the SMTP server rejected the settings."),
  family: described(z.enum(FAMILIES), "Address family of the request."),
  requestId: described(z.string(), "X-Request-Id of the response, and requestId of the request's log line."),
  by: described(historyCallerSchema, "The caller."),
  changed: described(
    z.exactOptional(z.array(z.string())),
    "Names of the fields that a save changed, if the previous settings were readable.",
  ),
  test: described(z.exactOptional(testTargetSchema), "What a test contacted. Long values are truncated."),
}) satisfies z.ZodMiniType<HistoryEntry>;

/** The response to a read of history. */
export const historySchema = z.object({
  ...okFields,
  entries: described(z.array(historyEntrySchema), "The entries, newest first."),
  cursor: optionalText("Start of the next page. Absent on the last one."),
});
