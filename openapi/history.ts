import * as z from "zod/mini";
import { FAMILIES, type Family } from "../src/context.ts";
import {
  ACTIONS,
  HISTORY_VALUE_MAX_BYTES,
  type HistoryEntry,
  TESTED_SETTINGS,
  type TestTarget,
} from "../src/history/event.ts";
import { HISTORY_PAGE_MAX_ENTRIES, historyQuerySchema } from "../src/history/schema.ts";
import { envelope } from "../src/http/envelope.ts";
import { okFields } from "./lib/envelope.ts";
import { operation, REQUEST_ID_EXAMPLE, TENANT_ERRORS } from "./lib/operation.ts";
import {
  described,
  json,
  list,
  named,
  optionalList,
  optionalText,
  queryParameters,
  string,
  text,
  time,
} from "./lib/schemas.ts";
import type { Example, PathItem } from "./lib/types.ts";

const callerSchema = named(
  "HistoryCaller",
  z.object({
    sub: optionalText(HISTORY_VALUE_MAX_BYTES, "Subject, which never changes."),
    preferred_username: optionalText(HISTORY_VALUE_MAX_BYTES, "User name, which may change."),
    azp: optionalText(HISTORY_VALUE_MAX_BYTES, "Client that the token was issued to."),
  }),
);

const testTargetSchema = named(
  "TestTarget",
  z.object({
    host: text(HISTORY_VALUE_MAX_BYTES, "SMTP server."),
    port: described(z.int().check(z.minimum(1), z.maximum(65_535)), "Port."),
    to: optionalText(HISTORY_VALUE_MAX_BYTES, "Recipient of the test message. Absent if none was sent."),
    settings: described(
      z.enum(TESTED_SETTINGS),
      "Whether the settings were stored, or sent with the request.",
    ),
  }) satisfies z.ZodMiniType<TestTarget>,
);

const entrySchema = named(
  "HistoryEntry",
  z.object({
    at: described(time, "Time (RFC 3339, UTC)."),
    action: described(z.enum(ACTIONS), "What happened. test_refused: the SMTP server rejected the settings."),
    family: described(z.enum(FAMILIES), "Address family of the request."),
    requestId: text(36, "X-Request-Id of the response, and requestId of the request's log line."),
    by: described(callerSchema, "The caller."),
    changed: optionalList(
      string(64),
      64,
      "Names of the fields that a save changed, if the previous settings were readable.",
    ),
    test: described(z.exactOptional(testTargetSchema), "What a test contacted. Long values are truncated."),
  }) satisfies z.ZodMiniType<HistoryEntry>,
);

const historySchema = named(
  "History",
  z.object({
    ...okFields,
    entries: list(entrySchema, HISTORY_PAGE_MAX_ENTRIES, "The entries, newest first."),
    // The cursor of Workers KV, which documents no length. Those it returns have some hundred characters.
    cursor: optionalText(4_096, "Start of the next page. Absent on the last one."),
  }),
);

const request: Pick<HistoryEntry, "family" | "requestId" | "by"> = {
  family: "SSMS",
  requestId: REQUEST_ID_EXAMPLE,
  by: { sub: "7b7a3f0e-0000-4000-8000-000000000001", preferred_username: "ada", azp: "admin-cli" },
};

const entries: HistoryEntry[] = [
  {
    at: "2026-11-23T14:25:02.310Z",
    action: "test_refused",
    ...request,
    test: { host: "smtp.example.com", port: 587, to: "ada@example.com", settings: "stored" },
  },
  { at: "2026-11-23T14:24:14.150Z", action: "saved", ...request, changed: ["host", "password"] },
];

const RESPONSES: Record<string, Example> = {
  history: {
    summary: "The last page",
    value: envelope("OK", "Successfully read the history of SMTP Details", { entries }),
  },
};

/** The operation on a tenant's history, by path below the family's prefix. */
export function historyPaths(family: Family): Record<string, PathItem> {
  return {
    [family === "SSMS" ? "/config/history" : "/setup/history"]: {
      get: operation({
        operationId: `readHistory_${family}`,
        tags: [family],
        summary: "Read history",
        description:
          "Lists what happened to the settings in the last 400 days, newest first. Of a test, it names server and recipient; otherwise it holds no values of settings.",
        parameters: queryParameters(historyQuerySchema, {
          limit: { type: "integer", minimum: 1, maximum: HISTORY_PAGE_MAX_ENTRIES },
        }),
        success: { description: "A page of history.", content: json(historySchema, RESPONSES) },
        errors: [...TENANT_ERRORS, "store_unavailable", "invalid_fields"],
        errorExamples: {
          invalid_fields: {
            errors: [
              { field: "limit", message: `must be a whole number from 1 to ${HISTORY_PAGE_MAX_ENTRIES}` },
            ],
          },
        },
      }),
    },
  };
}
