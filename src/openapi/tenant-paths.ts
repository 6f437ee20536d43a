import type { HistoryEntry } from "../history/entry.ts";
import { historyQuerySchema } from "../history/query.ts";
import type { Family } from "../http/app-env.ts";
import { envelope } from "../http/envelope.ts";
import { verifySchema } from "../settings/schema.ts";
import { viewOf, warningsOf } from "../settings/view.ts";
import { HISTORY_QUERY_NOTES, SAVE_QUERY_NOTES } from "./notes.ts";
import { json, operation, queryParameters } from "./operation.ts";
import type { RefusalId } from "./refusals.ts";
import { SETTINGS_EXAMPLES, STEPS, storedSettings, TEST_EXAMPLES } from "./samples.ts";
import { memberSchemas } from "./schemas.ts";
import type { Operation, Parameter, PathItem } from "./types.ts";

/** Of every operation on a tenant's settings. */
const REFUSALS: readonly RefusalId[] = [
  ...(["Unauthorized", "Forbidden", "NotFound", "MethodNotAllowed"] as const),
  ...(["InternalServerError", "ServiceUnavailable"] as const),
];

const BODY_REFUSALS: readonly RefusalId[] = ["InvalidSettings", "ContentTooLarge", "UnsupportedMediaType"];

const IF_MATCH: Parameter = {
  name: "If-Match",
  in: "header",
  description:
    "ETag of the settings as they were read (RFC 9110 section 13.1.1). Others in the store: 412, and nothing changes.",
  schema: { type: "string" },
  example: '"0b1c9a55-7c1e-4a43-9a2f-3f0e1a6f8d11"',
};

const ETAG = { ETag: { $ref: "#/components/headers/ETag" } };

/**
 * The paths of an address family, relative to it.
 *
 * @param resource `config` (SSMS) or `setup` (SHIFT)
 */
export function tenantPaths(family: Family, resource: "config" | "setup"): Record<string, PathItem> {
  const tags = [family];
  return {
    [`/${resource}`]: { post: save(tags), get: read(tags), delete: remove(tags) },
    "/test": { post: test(tags) },
    [`/${resource}/history`]: { get: history(tags) },
  };
}

function save(tags: string[]): Operation {
  return operation({
    operationId: `saveSettings_${tags}`,
    tags,
    summary: "Save settings",
    description:
      "Replaces the whole configuration. null, an empty string and white space count as absent, strings other than the password are trimmed, and an unknown field is refused.",
    parameters: [...queryParameters(memberSchemas(verifySchema, SAVE_QUERY_NOTES)), IF_MATCH],
    body: {
      description: "JSON in UTF-8, at most 16 KiB.",
      required: true,
      schema: "Settings",
      examples: SETTINGS_EXAMPLES,
    },
    success: {
      description: "The settings are saved.",
      headers: ETAG,
      content: json("Done", {
        saved: { summary: "Saved", value: envelope("OK", "Successfully updated SMTP Details") },
      }),
    },
    refusals: [...REFUSALS, ...BODY_REFUSALS, "PreconditionFailed", "SmtpFailed"],
  });
}

function read(tags: string[]): Operation {
  const stored = storedSettings();
  const value = envelope("OK", "Successfully read SMTP Details", {
    settings: viewOf(stored),
    updatedAt: "2026-11-23T14:24:14.150Z",
    updatedBy: "ada",
    warnings: warningsOf(stored),
  });
  return operation({
    operationId: `readSettings_${tags}`,
    tags,
    summary: "Read settings",
    description: "Answers the settings as they can be sent back, with the password masked.",
    success: {
      description: "The settings.",
      headers: ETAG,
      content: json("SettingsRead", { read: { summary: "Read", value } }),
    },
    refusals: [...REFUSALS, "NothingStored"],
  });
}

function remove(tags: string[]): Operation {
  return operation({
    operationId: `deleteSettings_${tags}`,
    tags,
    summary: "Delete settings",
    description: "Succeeds also if nothing is stored, unless If-Match asks for something.",
    parameters: [IF_MATCH],
    success: {
      description: "Nothing is stored any more.",
      content: json("Done", {
        deleted: { summary: "Deleted", value: envelope("OK", "Successfully deleted SMTP Details") },
      }),
    },
    refusals: [...REFUSALS, "PreconditionFailed"],
  });
}

function test(tags: string[]): Operation {
  const sent = envelope("OK", "Mail Sent Successfully to the user", { steps: STEPS });
  const probed = envelope("OK", "The SMTP server accepts these settings. No mail was sent.", {
    steps: STEPS.slice(0, 4),
  });
  return operation({
    operationId: `testSettings_${tags}`,
    tags,
    summary: "Test settings",
    description:
      "Connects to the SMTP server by the stored settings, or by those in the body before they are saved, and sends a test mail. The body may be left out.",
    body: {
      description: "JSON in UTF-8, at most 16 KiB.",
      required: false,
      schema: "TestRequest",
      examples: TEST_EXAMPLES,
    },
    success: {
      description: "The SMTP server accepts the settings.",
      content: json("TestPassed", {
        sent: { summary: "A mail was sent", value: sent },
        probed: { summary: "No mail was sent", value: probed },
      }),
    },
    refusals: [...REFUSALS, ...BODY_REFUSALS, "NothingStored", "SmtpFailed"],
  });
}

function history(tags: string[]): Operation {
  const by = { sub: "7b7a3f0e-0000-4000-8000-000000000001", preferred_username: "ada", azp: "admin-cli" };
  const entries: HistoryEntry[] = [
    {
      at: "2026-11-23T14:25:03.871Z",
      action: "tested",
      family: "SHIFT",
      requestId: "5f0d2f6c-4d1c-4a53-8f5e-0d8b1a3c7e42",
      by,
    },
    {
      at: "2026-11-23T14:24:14.150Z",
      action: "saved",
      family: "SSMS",
      requestId: "0b1c9a55-7c1e-4a43-9a2f-3f0e1a6f8d11",
      by,
      changed: ["host", "password"],
    },
  ];
  const value = envelope("OK", "Successfully read the history of SMTP Details", { entries });
  return operation({
    operationId: `readHistory_${tags}`,
    tags,
    summary: "Read history",
    description:
      "Answers what was done to the settings in the last 400 days, newest first, without any value.",
    parameters: queryParameters(memberSchemas(historyQuerySchema, HISTORY_QUERY_NOTES)),
    success: {
      description: "A page of history.",
      content: json("History", { read: { summary: "The last page", value } }),
    },
    refusals: [...REFUSALS, "InvalidQuery"],
  });
}
