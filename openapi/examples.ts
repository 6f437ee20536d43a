import * as z from "zod/mini";
import type { MailStatus } from "../src/delivery/status.ts";
import type { HistoryEntry } from "../src/history/event.ts";
import { envelope } from "../src/http/envelope.ts";
import { toResponse, warningsFor } from "../src/settings/response.ts";
import { MASK, settingsSchema } from "../src/settings/schema.ts";
import { explain } from "../src/smtp/explain.ts";
import type { Step } from "../src/smtp/result.ts";
import type { Example } from "./types.ts";

const REQUEST_ID = "0b1c9a55-7c1e-4a43-9a2f-3f0e1a6f8d11";

/** The id of a mail. */
export const MAIL_ID = "01a208d0-5251-7000-9f3d-2b6c9d1e4f50";

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
  { stage: "tls", milliseconds: 47, tls: "STARTTLS", mechanisms: ["PLAIN", "LOGIN"] },
  { stage: "authentication", milliseconds: 88, mechanism: "PLAIN" },
  { stage: "sender", milliseconds: 19 },
  { stage: "recipient", milliseconds: 23 },
  { stage: "message", milliseconds: 102, reply: "2.0.0 Ok: queued as 4F7A1" },
];

const request: Pick<HistoryEntry, "family" | "requestId" | "by"> = {
  family: "SSMS",
  requestId: REQUEST_ID,
  by: { sub: "7b7a3f0e-0000-4000-8000-000000000001", preferred_username: "ada", azp: "admin-cli" },
};

const entries: HistoryEntry[] = [
  {
    at: "2026-11-23T14:25:02.310Z",
    action: "test_refused",
    ...request,
    test: { host: settings.host, port: 587, to: "ada@example.com", settings: "stored" },
  },
  { at: SAVED_AT, action: "saved", ...request, changed: ["host", "password"] },
];

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
      steps: steps.slice(0, 6),
    }),
  },
  history: {
    summary: "The last page",
    value: envelope("OK", "Successfully read the history of SMTP Details", { entries }),
  },
} satisfies Record<string, Example>;

const mail = {
  to: "ada@example.com",
  subject: "Your code",
  text: "Your code is 123456.\n",
  html: "<p>Your code is <b>123456</b>.</p>",
  tag: "login-code",
  expiresIn: 600,
};

/** Request bodies that send mail. */
export const MESSAGE_REQUESTS = {
  code: { summary: "One mail, valid for ten minutes", value: mail },
  newsletter: {
    summary: "With headers and another address for replies",
    value: {
      to: mail.to,
      subject: "News",
      html: "<p>News</p>",
      replyTo: "support@example.com",
      headers: {
        "List-Unsubscribe": "<https://example.com/unsubscribe?u=1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      },
    },
  },
  batch: {
    summary: "A batch",
    value: [
      { to: mail.to, subject: "Report", text: "Done.\n" },
      { to: "grace@example.com", subject: "Report", text: "Done.\n" },
    ],
  },
} satisfies Record<string, Example>;

const queued: MailStatus = {
  id: MAIL_ID,
  state: "queued",
  attempts: 0,
  createdAt: "2026-11-23T14:30:00.017Z",
  expiresAt: "2026-11-23T14:40:00.017Z",
  nextAttemptAt: "2026-11-23T14:30:00.017Z",
  tag: mail.tag,
};

const { steps: _, ...connectionFailure } = explain(
  { kind: "not_connected", stage: "connect", steps: [], contentSent: false, smtputf8: false },
  { settings: stored },
).diagnosis;

const waiting: MailStatus = {
  ...queued,
  nextAttemptAt: "2026-11-23T14:31:12.402Z",
  waitingFor: "server",
  failure: connectionFailure,
};

const { nextAttemptAt: __, ...ended } = queued;

const sent: MailStatus = {
  ...ended,
  state: "sent",
  attempts: 1,
  messageId: `<${MAIL_ID}@example.com>`,
};

/** Response bodies of the operations on mail. */
export const MESSAGE_RESPONSES = {
  accepted: {
    accepted: {
      summary: "One mail",
      value: envelope("ACCEPTED", "Accepted for delivery", { id: MAIL_ID, state: "queued" }),
    },
    batch: {
      summary: "A batch",
      value: envelope("ACCEPTED", "Accepted for delivery", {
        messages: [
          { id: MAIL_ID, state: "queued" },
          { id: "01a208d0-5251-7001-b1c8-90d2e3f4a5b6", state: "queued" },
        ],
      }),
    },
  },
  read: {
    sent: { summary: "Sent", value: envelope("OK", "Successfully read the mail", sent) },
    waiting: {
      summary: "Waits for the SMTP server",
      value: envelope("OK", "Successfully read the mail", waiting),
    },
  },
  canceled: {
    canceled: {
      summary: "Canceled",
      value: envelope("OK", "Successfully canceled the mail", { ...ended, state: "canceled" }),
    },
  },
  retried: {
    retried: { summary: "Queued again", value: envelope("OK", "Successfully queued the mail again", queued) },
  },
  list: {
    list: {
      summary: "A page with a next one",
      value: envelope("OK", "Successfully read mails", { messages: [waiting, sent], cursor: MAIL_ID }),
    },
  },
} satisfies Record<string, Record<string, Example>>;
