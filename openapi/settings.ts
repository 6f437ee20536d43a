import * as z from "zod/mini";
import { CLAIM_MAX_CHARACTERS } from "../src/auth/caller.ts";
import type { Family } from "../src/context.ts";
import { defined } from "../src/defined.ts";
import type { ApiErrorKind } from "../src/errors.ts";
import { envelope } from "../src/http/envelope.ts";
import { MASK, SECRET_FIELDS, settingsFields } from "../src/settings/fields.ts";
import { toResponse, warningsFor } from "../src/settings/response.ts";
import { settingsSchema, testSchema, verifySchema } from "../src/settings/schema.ts";
import type { Step } from "../src/smtp/result.ts";
import { stepsSchema } from "./lib/diagnosis.ts";
import { doneSchema, okFields } from "./lib/envelope.ts";
import { BODY_ERRORS, operation, REQUEST_ID_EXAMPLE, SETTINGS_ERRORS } from "./lib/operation.ts";
import { described, json, list, named, queryParameters, string, text, time } from "./lib/schemas.ts";
import type { Example, Header, Parameter, PathItem } from "./lib/types.ts";

named("Settings", settingsSchema);
named("TestRequest", testSchema);

/** Settings as a read returns them: as they are stored, except for the port, the TLS flags and the secrets. */
const settingsResponseSchema = named(
  "SettingsResponse",
  z.object({
    ...Object.fromEntries(Object.entries(settingsFields).map(([name, field]) => [name, storedValue(field)])),
    host: text(253, "SMTP server, in ASCII."),
    port: text(5, "Port."),
    starttls: describedAs(settingsFields.starttls, z.boolean()),
    ssl: describedAs(settingsFields.ssl, z.boolean()),
    ...Object.fromEntries(
      SECRET_FIELDS.map((field) => [
        field,
        described(
          z.exactOptional(z.literal(MASK)),
          "Stands for the stored secret, which is never returned. Absent if none is stored.",
        ),
      ]),
    ),
  }),
);

const settingsReadSchema = named(
  "SettingsRead",
  z.object({
    ...okFields,
    settings: described(settingsResponseSchema, "The settings. They can be sent back unchanged."),
    updatedAt: described(time, "Time of the save (RFC 3339, UTC)."),
    updatedBy: text(CLAIM_MAX_CHARACTERS, "Name of the caller who saved."),
    warnings: list(string(1_000), 64, "Warnings about valid but probably unintended settings."),
  }),
);

const testPassedSchema = named("TestPassed", z.object({ ...okFields, steps: stepsSchema }));

const settings = {
  host: "smtp.example.com",
  port: "587",
  starttls: true,
  from: "sender@example.com",
  fromDisplayName: "Example Ltd",
  replyTo: "reply@example.com",
  user: "sender@example.com",
  password: "app-password",
};

const SAVE_REQUESTS: Record<string, Example> = {
  starttls: { summary: "STARTTLS on port 587, with a user", value: settings },
  mandatory: { summary: "Mandatory fields only", value: { host: settings.host, from: settings.from } },
  keycloak: {
    summary: "As Keycloak's console sends them",
    value: { ...settings, starttls: "true", ssl: "false", auth: "true", replyTo: "", envelopeFrom: null },
  },
  microsoft365: {
    summary: "Microsoft 365, by OAuth 2.0 with a client secret",
    value: {
      host: "smtp.office365.com",
      starttls: true,
      from: settings.from,
      user: settings.from,
      authType: "token",
      authTokenUrl: "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
      authTokenScope: "https://outlook.office.com/.default",
      authTokenClientId: "11111111-2222-3333-4444-555555555555",
      authTokenClientSecret: "value-of-the-client-secret",
    },
  },
  googleWorkspace: {
    summary: "Google Workspace, by OAuth 2.0 with a service account",
    value: {
      host: "smtp.gmail.com",
      starttls: true,
      from: settings.from,
      user: settings.from,
      authType: "token",
      authTokenUrl: "https://oauth2.googleapis.com/token",
      authTokenScope: "https://mail.google.com/",
      authTokenClientId: "mail@project.iam.gserviceaccount.com",
      authTokenPrivateKey: "-----BEGIN PRIVATE KEY-----\nMII...\n-----END PRIVATE KEY-----\n",
      authTokenGrantType: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    },
  },
  keepPassword: {
    summary: "The stored password is kept",
    value: { ...settings, fromDisplayName: "Example", password: MASK },
  },
};

const TEST_REQUESTS: Record<string, Example> = {
  stored: { summary: "Send a message with the stored settings", value: { to: "ada@example.com" } },
  probe: { summary: "Send no mail", value: { mode: "probe" } },
  unsaved: { summary: "Unsaved settings", value: { to: "ada@example.com", settings } },
};

const stored = z.parse(settingsSchema, settings);

const steps: Step[] = [
  { stage: "connect", milliseconds: 21 },
  { stage: "greeting", milliseconds: 34 },
  { stage: "tls", milliseconds: 47, tls: "STARTTLS", mechanisms: ["PLAIN", "LOGIN"] },
  { stage: "authentication", milliseconds: 88, mechanism: "PLAIN" },
  { stage: "sender", milliseconds: 19 },
  { stage: "recipient", milliseconds: 23 },
  { stage: "message", milliseconds: 102, reply: "2.0.0 Ok: queued as 4F7A1" },
];

const RESPONSES = {
  saved: { summary: "Saved", value: envelope("OK", "Successfully updated SMTP Details") },
  read: {
    summary: "Read",
    value: envelope("OK", "Successfully read SMTP Details", {
      settings: toResponse(stored),
      updatedAt: "2026-11-23T14:24:14.150Z",
      updatedBy: "ada",
      warnings: warningsFor(stored),
    }),
  },
  deleted: { summary: "Deleted", value: envelope("OK", "Successfully deleted SMTP Details") },
  sent: {
    summary: "A message was sent",
    value: envelope("OK", "Mail Sent Successfully to the user", { steps }),
  },
  probed: {
    summary: "No mail was sent",
    value: envelope("OK", "The SMTP server accepts these settings. No mail was sent.", {
      steps: steps.slice(0, 6),
    }),
  },
} satisfies Record<string, Example>;

const TEST_ERRORS: readonly ApiErrorKind[] = [
  "smtp_failed",
  "too_many_tests",
  "too_many_logins",
  "rate_limiter_unavailable",
  "outbox_unavailable",
];

/** Errors of changes that Keycloak applies, with KEYCLOAK_ADMIN_URL. */
const TARGET_ERRORS: readonly ApiErrorKind[] = [
  "keycloak_forbidden",
  "keycloak_failed",
  "applied_but_not_stored",
];

const BODY_DESCRIPTION = "JSON in UTF-8, without content coding, at most 16 KiB.";

const ETAG: Header = {
  description: "Version of the stored settings, for If-Match (RFC 9110 section 8.8.3).",
  schema: { type: "string", maxLength: 64 },
  example: `"${REQUEST_ID_EXAMPLE}"`,
};

const IF_MATCH: Parameter = {
  name: "If-Match",
  in: "header",
  description:
    "ETag of the settings as they were read (RFC 9110 section 13.1.1). If others are stored: 412, and nothing changes.",
  schema: { type: "string" },
  example: ETAG.example,
};

const IF_NONE_MATCH: Parameter = {
  name: "If-None-Match",
  in: "header",
  description:
    "* if no settings may be stored, or ETags of those that may not be (RFC 9110 section 13.1.2). Otherwise: 412, and nothing changes. If-Match is evaluated first.",
  schema: { type: "string" },
  example: "*",
};

const IF_NONE_MATCH_OF_READ: Parameter = {
  ...IF_NONE_MATCH,
  description:
    "ETag of the settings that the caller has (RFC 9110 section 13.1.2). If it is the current one: 304.",
  example: ETAG.example,
};

/** Errors of changes with preconditions. */
const PRECONDITION_ERRORS: readonly ApiErrorKind[] = [
  "precondition_failed",
  "already_stored",
  "outbox_unavailable",
];

/** The operations on a tenant's settings, by path below the family's prefix. */
export function settingsPaths(family: Family): Record<string, PathItem> {
  const tags = [family];
  return {
    [family === "SSMS" ? "/config" : "/setup"]: {
      post: operation({
        operationId: `saveSettings_${family}`,
        tags,
        summary: "Save settings",
        description:
          "Replaces the configuration as a unit. null, an empty string and white space count as absent. Strings are trimmed, except for the password. An unknown field is rejected. A rejected request changes nothing.",
        parameters: [...queryParameters(verifySchema), IF_MATCH, IF_NONE_MATCH],
        requestBody: {
          description: BODY_DESCRIPTION,
          required: true,
          content: json(settingsSchema, SAVE_REQUESTS),
        },
        success: {
          description: "The settings are saved.",
          headers: { ETag: ETAG },
          content: json(doneSchema, { saved: RESPONSES.saved }),
        },
        errors: [
          ...SETTINGS_ERRORS,
          ...BODY_ERRORS,
          ...TEST_ERRORS,
          ...TARGET_ERRORS,
          ...PRECONDITION_ERRORS,
          "mandatory_fields_missing",
          "settings_changed",
        ],
      }),
      get: operation({
        operationId: `readSettings_${family}`,
        tags,
        summary: "Read settings",
        description: "Returns the settings with the password masked. They can be sent back unchanged.",
        parameters: [IF_MATCH, IF_NONE_MATCH_OF_READ],
        success: {
          description: "The settings.",
          headers: { ETag: ETAG },
          content: json(settingsReadSchema, { read: RESPONSES.read }),
        },
        responses: {
          304: {
            description: "The caller has the current settings: If-None-Match names them.",
            headers: { ETag: ETAG },
            content: {},
          },
        },
        errors: [...SETTINGS_ERRORS, "nothing_stored", "precondition_failed"],
      }),
      delete: operation({
        operationId: `deleteSettings_${family}`,
        tags,
        summary: "Delete settings",
        description: "Succeeds even if nothing is stored, unless the request has If-Match.",
        parameters: [IF_MATCH, IF_NONE_MATCH],
        success: {
          description: "Nothing is stored.",
          content: json(doneSchema, { deleted: RESPONSES.deleted }),
        },
        errors: [...SETTINGS_ERRORS, ...TARGET_ERRORS, ...PRECONDITION_ERRORS],
      }),
    },
    "/test": {
      post: operation({
        operationId: `testSettings_${family}`,
        tags,
        summary: "Test settings",
        description:
          "Connects to the SMTP server with the stored settings, or with unsaved ones from the body, and sends a test message. A probe names sender and recipient to the server and sends no mail. At most 10 tests a minute per tenant and location.",
        requestBody: {
          description: `${BODY_DESCRIPTION} null counts as none.`,
          required: false,
          content: json(testSchema, TEST_REQUESTS),
        },
        success: {
          description: "The SMTP server accepts the settings.",
          content: json(testPassedSchema, { sent: RESPONSES.sent, probed: RESPONSES.probed }),
        },
        errors: [
          ...SETTINGS_ERRORS,
          ...BODY_ERRORS,
          ...TEST_ERRORS,
          "mandatory_fields_missing",
          "nothing_stored",
        ],
      }),
    },
  };
}

function storedValue(field: z.ZodMiniType & { def: { out: z.ZodMiniType } }): z.ZodMiniType {
  return describedAs(field, field.def.out);
}

function describedAs(field: z.ZodMiniType, schema: z.ZodMiniType): z.ZodMiniType {
  const { description, maxLength, minimum, maximum } = z.globalRegistry.get(field) ?? {};
  return schema.check(z.meta(defined({ description, maxLength, minimum, maximum })));
}
