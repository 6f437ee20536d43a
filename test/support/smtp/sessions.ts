import { expect } from "vitest";
import { composeMessage, type MailContent, type Message } from "../../../src/mail/message.ts";
import { type Settings, settingsSchema } from "../../../src/settings/schema.ts";
import type { Diagnosis } from "../../../src/smtp/diagnosis.ts";
import { explain } from "../../../src/smtp/explain.ts";
import type { Step } from "../../../src/smtp/result.ts";
import { SmtpSession } from "../../../src/smtp/session.ts";
import { type SmtpTimeouts, TEST_TIMEOUTS } from "../../../src/smtp/timeouts.ts";
import { eventually } from "../eventually.ts";
import { localSettings } from "../local-settings.ts";
import type { ReceivedMail } from "./mail-server.ts";
import type { TestServer } from "./servers.ts";

const CLIENT_NAME = "mail.example.com";

/** A mail for tests that do not depend on its content. */
export const sampleMail: MailContent = {
  to: "reader@example.org",
  subject: "Hello",
  text: "Hello in text\n",
  html: "<p>Hello in HTML</p>",
  messageId: "<id-of-this-mail@example.com>",
};

/** What a test changes of a session with a server on this machine. */
export interface SessionChanges {
  settings?: Record<string, unknown>;
  mail?: Partial<MailContent>;
  /** Those of a test by default. */
  timeouts?: Partial<SmtpTimeouts>;
  /** Send commands at once. Default: false. */
  pipelining?: boolean;
  /** Send the mail, or only probe whether the server would accept it. Default: send. */
  mode?: "send" | "probe";
}

/** The result of a session. */
type Outcome = { steps: readonly Step[] } | { diagnosis: Diagnosis };

/** A session with a server on this machine, not yet open, and a mail to send over it. */
export function newSession(
  { port }: { port: number },
  changes: Omit<SessionChanges, "mode"> = {},
): { session: SmtpSession; message: Message; settings: Settings } {
  const settings = settingsSchema.parse(localSettings(port, changes.settings));
  const session = new SmtpSession(settings, {
    clientName: CLIENT_NAME,
    allowPrivateHosts: true,
    timeouts: { ...TEST_TIMEOUTS, ...changes.timeouts },
    pipelining: changes.pipelining ?? false,
  });
  const message = composeMessage(settings, { ...sampleMail, ...changes.mail });
  return { session, message, settings };
}

/** A session with a server that has accepted the user and password. */
export async function openSession(...parameters: Parameters<typeof newSession>) {
  const { session, message } = newSession(...parameters);
  expect(await session.open()).toMatchObject({ ok: true });
  return { session, message };
}

/** Opens a session, sends or probes a mail, and closes the session. */
export async function sendMail(server: { port: number }, changes: SessionChanges = {}): Promise<Outcome> {
  const { session, message, settings } = newSession(server, changes);
  try {
    const opened = await session.open();
    const result = opened.ok ? await session[changes.mode ?? "send"](message) : opened;
    if (result.ok) return { steps: result.steps };
    return { diagnosis: explain(result.failure, { settings, clientName: CLIENT_NAME }).diagnosis };
  } finally {
    session.close();
  }
}

/** Sends a mail that must fail, and returns the diagnosis. */
export async function diagnosisOf(...delivery: Parameters<typeof sendMail>): Promise<Diagnosis> {
  const outcome = await sendMail(...delivery);
  if ("steps" in outcome) throw new Error("the server accepted the mail");
  return outcome.diagnosis;
}

/** Sends a mail that must succeed, and returns the steps. */
export async function stepsOf(...delivery: Parameters<typeof sendMail>): Promise<readonly Step[]> {
  const outcome = await sendMail(...delivery);
  if ("diagnosis" in outcome) throw new Error(JSON.stringify(outcome.diagnosis));
  return outcome.steps;
}

/** Waits until all connections of a server are closed. */
export async function expectClosed(server: TestServer): Promise<void> {
  await eventually(async () => expect((await server.state()).openConnections).toBe(0));
}

/** The only mail that a server has received. */
export async function receivedMail(server: TestServer): Promise<ReceivedMail> {
  const { messages } = await server.state();
  const [mail] = messages;
  if (mail === undefined || messages.length > 1) throw new Error(`${messages.length} messages received`);
  return mail;
}
