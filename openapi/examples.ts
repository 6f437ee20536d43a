import * as z from "zod/mini";
import type { HistoryEntry } from "../src/history/event.ts";
import { envelope } from "../src/http/envelope.ts";
import { toResponse, warningsFor } from "../src/settings/response.ts";
import { MASKED_PASSWORD, settingsSchema } from "../src/settings/schema.ts";
import type { Step } from "../src/smtp/result.ts";
import type { Example } from "./types.ts";

const REQUEST_ID = "0b1c9a55-7c1e-4a43-9a2f-3f0e1a6f8d11";

const SAVED_AT = "2026-11-23T14:24:14.150Z";

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

const stored = z.parse(settingsSchema, settings);

const steps: Step[] = [
  { stage: "connect", milliseconds: 21 },
  { stage: "greeting", milliseconds: 34 },
  { stage: "tls", milliseconds: 47, tls: "STARTTLS" },
  { stage: "authentication", milliseconds: 88, mechanism: "PLAIN" },
  { stage: "sender", milliseconds: 19 },
  { stage: "recipient", milliseconds: 23 },
  { stage: "message", milliseconds: 102, reply: "2.0.0 Ok: queued as 4F7A1" },
];

const entry: HistoryEntry = {
  at: SAVED_AT,
  action: "saved",
  family: "SSMS",
  requestId: REQUEST_ID,
  by: { sub: "7b7a3f0e-0000-4000-8000-000000000001", preferred_username: "ada", azp: "admin-cli" },
  changed: ["host", "password"],
};

/** Values of headers. */
export const HEADERS = { requestId: REQUEST_ID, etag: `"${REQUEST_ID}"` };

/** Request bodies of a save. */
export const SAVE_REQUESTS = {
  starttls: { summary: "STARTTLS on port 587, with a user", value: settings },
  mandatory: { summary: "Mandatory fields only", value: { host: settings.host, from: settings.from } },
  keycloak: {
    summary: "As Keycloak's console sends them",
    value: { ...settings, starttls: "true", ssl: "false", auth: "true", replyTo: "", envelopeFrom: null },
  },
  keepPassword: {
    summary: "The stored password is kept",
    value: { ...settings, fromDisplayName: "Example", password: MASKED_PASSWORD },
  },
} satisfies Record<string, Example>;

/** Request bodies of a test. */
export const TEST_REQUESTS = {
  stored: { summary: "Send a mail with the stored settings", value: { to: "ada@example.com" } },
  probe: { summary: "Send no mail", value: { mode: "probe" } },
  unsaved: { summary: "Unsaved settings", value: { to: "ada@example.com", settings } },
} satisfies Record<string, Example>;

/** Response bodies of the operations that succeed. */
export const RESPONSES = {
  saved: { summary: "Saved", value: envelope("OK", "Successfully updated SMTP Details") },
  read: {
    summary: "Read",
    value: envelope("OK", "Successfully read SMTP Details", {
      settings: toResponse(stored),
      updatedAt: SAVED_AT,
      updatedBy: "ada",
      warnings: warningsFor(stored),
    }),
  },
  deleted: { summary: "Deleted", value: envelope("OK", "Successfully deleted SMTP Details") },
  sent: {
    summary: "A mail was sent",
    value: envelope("OK", "Mail Sent Successfully to the user", { steps }),
  },
  probed: {
    summary: "No mail was sent",
    value: envelope("OK", "The SMTP server accepts these settings. No mail was sent.", {
      steps: steps.slice(0, 4),
    }),
  },
  history: {
    summary: "The last page",
    value: envelope("OK", "Successfully read the history of SMTP Details", { entries: [entry] }),
  },
} satisfies Record<string, Example>;
