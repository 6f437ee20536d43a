import type { Family } from "../src/context.ts";
import type { ApiErrorKind } from "../src/errors.ts";
import { historyQuerySchema } from "../src/history/schema.ts";
import { envelope } from "../src/http/envelope.ts";
import { verifySchema } from "../src/settings/schema.ts";
import { HEADERS, RESPONSES, SAVE_REQUESTS, TEST_REQUESTS } from "./examples.ts";
import { BODY_ERRORS, COMMON_ERRORS, operation, SETTINGS_ERRORS, TENANT_ERRORS } from "./operation.ts";
import { json, queryParameters } from "./schemas.ts";
import type { Content, Header, Parameter, PathItem } from "./types.ts";

const TEST_ERRORS: readonly ApiErrorKind[] = ["smtp_failed", "too_many_tests", "rate_limiter_unavailable"];

/** Errors of changes that Keycloak applies, with KEYCLOAK_ADMIN_URL. */
const TARGET_ERRORS: readonly ApiErrorKind[] = [
  "keycloak_forbidden",
  "keycloak_failed",
  "applied_but_not_stored",
];

const BODY_DESCRIPTION = "JSON in UTF-8, at most 16 KiB.";

const ETAG: Header = {
  description: "Version of the stored settings, for If-Match (RFC 9110 section 8.8.3).",
  schema: { type: "string" },
  example: HEADERS.etag,
};

const IF_MATCH: Parameter = {
  name: "If-Match",
  in: "header",
  description:
    "ETag of the settings as they were read (RFC 9110 section 13.1.1). If others are stored: 412, and nothing changes.",
  schema: { type: "string" },
  example: HEADERS.etag,
};

/** The operations on a tenant's settings, by path below the family's prefix. */
export function settingsPaths(family: Family): Record<string, PathItem> {
  const tags = [family];
  const resource = family === "SSMS" ? "config" : "setup";
  return {
    [`/${resource}`]: {
      post: operation({
        operationId: `saveSettings_${family}`,
        tags,
        summary: "Save settings",
        description:
          "Replaces the configuration as a unit. null, an empty string and white space count as absent. Strings are trimmed, except for the password. An unknown field is rejected. A rejected request changes nothing.",
        parameters: [...queryParameters(verifySchema), IF_MATCH],
        requestBody: {
          description: BODY_DESCRIPTION,
          required: true,
          content: json("Settings", SAVE_REQUESTS),
        },
        success: {
          description: "The settings are saved.",
          headers: { ETag: ETAG },
          content: json("Done", { saved: RESPONSES.saved }),
        },
        errors: [
          ...SETTINGS_ERRORS,
          ...BODY_ERRORS,
          ...TEST_ERRORS,
          ...TARGET_ERRORS,
          ...(["mandatory_fields_missing", "precondition_failed", "settings_changed"] as const),
        ],
      }),
      get: operation({
        operationId: `readSettings_${family}`,
        tags,
        summary: "Read settings",
        description: "Returns the settings with the password masked. They can be sent back unchanged.",
        success: {
          description: "The settings.",
          headers: { ETag: ETAG },
          content: json("SettingsRead", { read: RESPONSES.read }),
        },
        errors: [...SETTINGS_ERRORS, "nothing_stored"],
      }),
      delete: operation({
        operationId: `deleteSettings_${family}`,
        tags,
        summary: "Delete settings",
        description: "Succeeds even if nothing is stored, unless the request has If-Match.",
        parameters: [IF_MATCH],
        success: {
          description: "Nothing is stored.",
          content: json("Done", { deleted: RESPONSES.deleted }),
        },
        errors: [...SETTINGS_ERRORS, ...TARGET_ERRORS, "precondition_failed"],
      }),
    },
    "/test": {
      post: operation({
        operationId: `testSettings_${family}`,
        tags,
        summary: "Test settings",
        description:
          "Connects to the SMTP server with the stored settings, or with unsaved ones from the body, and sends a test mail. A probe names sender and recipient to the server and sends no mail. At most 10 tests a minute per tenant and location.",
        requestBody: {
          description: BODY_DESCRIPTION,
          required: false,
          content: json("TestRequest", TEST_REQUESTS),
        },
        success: {
          description: "The SMTP server accepts the settings.",
          content: json("TestPassed", { sent: RESPONSES.sent, probed: RESPONSES.probed }),
        },
        errors: [
          ...SETTINGS_ERRORS,
          ...BODY_ERRORS,
          ...TEST_ERRORS,
          ...(["mandatory_fields_missing", "nothing_stored"] as const),
        ],
      }),
    },
    [`/${resource}/history`]: {
      get: operation({
        operationId: `readHistory_${family}`,
        tags,
        summary: "Read history",
        description:
          "Lists what happened to the settings in the last 400 days, newest first. Of a test, it names server and recipient; otherwise it holds no values of settings.",
        parameters: queryParameters(historyQuerySchema),
        success: {
          description: "A page of history.",
          content: json("History", { history: RESPONSES.history }),
        },
        errors: [...TENANT_ERRORS, "store_unavailable", "invalid_fields"],
        errorExamples: {
          invalid_fields: { errors: [{ field: "limit", message: "must be a whole number from 1 to 1000" }] },
        },
      }),
    },
  };
}

/** The operations that need no token, by path below `/digitanium/v4/mail`. */
export function publicPaths(version: string): Record<string, PathItem> {
  const healthy = envelope("OK", "Tenant Mail can serve.", { version });
  const unhealthy = envelope("SERVICE_UNAVAILABLE", "Tenant Mail cannot serve.", { version });
  const document = { openapi: "3.1.1", info: { title: "Tenant Mail", version }, paths: {} };
  return {
    "/health": {
      get: operation({
        operationId: "readHealth",
        tags: ["Service"],
        summary: "Check health",
        description: "Checks the configuration and KV. The response does not name the cause of a failure.",
        security: [],
        success: {
          description: "The Worker can serve.",
          content: json("Healthy", { healthy: { summary: "Healthy", value: healthy } }),
        },
        responses: {
          503: {
            description: "The Worker cannot serve: KV is unavailable, or the configuration is not valid.",
            content: json("Unhealthy", { unhealthy: { summary: "Unhealthy", value: unhealthy } }),
          },
        },
        errors: COMMON_ERRORS,
      }),
    },
    "/openapi.json": file(
      "readOpenApi",
      "Read this document",
      "This document, as OpenAPI 3.1.",
      json("OpenApi", { document: { summary: "The document, abridged", value: document } }),
    ),
    "/docs": file("readDocs", "Read this document as a page", "This document, as HTML.", {
      "text/html": { schema: { type: "string" }, example: "<!doctype html><title>Tenant Mail</title>" },
    }),
    "/docs.css": file("readDocsStylesheet", "Read the page's style sheet", "The style sheet.", {
      "text/css": { schema: { type: "string" }, example: "body { margin: 0 }" },
    }),
  };
}

function file(operationId: string, summary: string, description: string, content: Content): PathItem {
  return {
    get: operation({
      operationId,
      tags: ["Service"],
      summary,
      description,
      security: [],
      success: { description, content },
      errors: [...COMMON_ERRORS, "misconfigured"],
    }),
  };
}
