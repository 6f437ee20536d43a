import { expect, vi } from "vitest";
import { settingsSchema } from "../../../src/settings/schema.ts";
import { converse } from "../../../src/smtp/client.ts";
import { SmtpFailure, type Step } from "../../../src/smtp/conversation.ts";
import { type Diagnosis, diagnose } from "../../../src/smtp/diagnosis.ts";
import { type Content, compose } from "../../../src/smtp/message.ts";
import { localSettings } from "../local-settings.ts";
import type { OrderedServer } from "./servers.ts";

/** A mail to send where a test does not care which. */
export const content: Content = {
  to: "reader@example.org",
  subject: "Hello",
  text: "Hello in text\n",
  html: "<p>Hello in HTML</p>",
  id: "id-of-this-mail",
};

/** How a conversation ended. */
export type Outcome = { steps: readonly Step[] } | { diagnosis: Diagnosis };

/** Sends a mail to a server of this machine, by the client that real mail takes. */
export async function deliver(
  { port }: { port: number },
  changes: Record<string, unknown> = {},
  mail: Partial<Content> = {},
): Promise<Outcome> {
  const settings = settingsSchema.parse(localSettings(port, changes));
  const message = await compose(settings, { ...content, ...mail });
  const policy = { allowPrivateHosts: true };
  try {
    return { steps: await converse(settings, { clientName: "mail.example.com", message }, policy) };
  } catch (error) {
    if (error instanceof SmtpFailure) return { diagnosis: diagnose(error, settings) };
    throw error;
  }
}

/** The diagnosis of a mail that has to fail. */
export async function failureOf(...delivery: Parameters<typeof deliver>): Promise<Diagnosis> {
  const outcome = await deliver(...delivery);
  if ("steps" in outcome) throw new Error("the mail was taken");
  return outcome.diagnosis;
}

/** The stages that a conversation passed. */
export async function stepsOf(...delivery: Parameters<typeof deliver>): Promise<readonly Step[]> {
  const outcome = await deliver(...delivery);
  if ("diagnosis" in outcome) throw new Error(JSON.stringify(outcome.diagnosis));
  return outcome.steps;
}

/** Waits until a server has no connection left, for as long as closing may take. */
export async function expectClosed(server: OrderedServer): Promise<void> {
  await vi.waitFor(async () => expect((await server.findings()).openConnections).toBe(0), {
    timeout: 3_000,
    interval: 50,
  });
}

/** The one mail that a server has taken. */
export async function arrivedAt(server: OrderedServer) {
  const { mails } = await server.findings();
  const [mail] = mails;
  if (mail === undefined || mails.length > 1) throw new Error(`${mails.length} mails have arrived`);
  return mail;
}
