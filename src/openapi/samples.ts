import * as z from "zod/mini";
import { MASKED_PASSWORD, type Settings, settingsSchema } from "../settings/schema.ts";
import type { Step } from "../smtp/conversation.ts";
import type { Example } from "./types.ts";

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

/** Bodies that save settings. */
export const SETTINGS_EXAMPLES = {
  starttls: { summary: "STARTTLS on port 587, with a user", value: settings },
  smallest: {
    summary: "Only what is mandatory",
    value: { host: "smtp.example.com", from: "sender@example.com" },
  },
  keycloak: {
    summary: "As Keycloak's console sends them",
    value: { ...settings, starttls: "true", ssl: "false", auth: "true", replyTo: "", envelopeFrom: null },
  },
  keepPassword: {
    summary: "The password that is stored is kept",
    value: { ...settings, fromDisplayName: "Example", password: MASKED_PASSWORD },
  },
} satisfies Record<string, Example>;

/** Bodies that test settings. */
export const TEST_EXAMPLES = {
  stored: { summary: "Send a mail by the stored settings", value: { to: "ada@example.com" } },
  probe: { summary: "Send no mail", value: { mode: "probe" } },
  unsaved: { summary: "Settings that are not saved yet", value: { to: "ada@example.com", settings } },
} satisfies Record<string, Example>;

/** Settings as they are stored once {@link SETTINGS_EXAMPLES} are saved. */
export function storedSettings(): Settings {
  return z.parse(settingsSchema, settings);
}

/** What is passed on the way to a mail that is sent. */
export const STEPS: Step[] = [
  { stage: "connect", milliseconds: 21 },
  { stage: "greeting", milliseconds: 34 },
  { stage: "tls", milliseconds: 47, tls: "STARTTLS" },
  { stage: "authentication", milliseconds: 88, mechanism: "PLAIN" },
  { stage: "sender", milliseconds: 19 },
  { stage: "recipient", milliseconds: 23 },
  { stage: "message", milliseconds: 102, reply: "2.0.0 Ok: queued as 4F7A1" },
];
