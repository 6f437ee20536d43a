import { beforeEach, describe, expect, it } from "vitest";
import { answer } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import type { MailServerSettings } from "../support/smtp/mail-server.ts";
import { mailServer } from "../support/smtp/servers.ts";
import { newTester, type Tester } from "../support/smtp/tester.ts";

const milliseconds = expect.any(Number);
const connected = [
  { stage: "connect", milliseconds },
  { stage: "greeting", milliseconds },
  { stage: "tls", tls: "STARTTLS", milliseconds },
];
const authenticated = [...connected, { stage: "authentication", mechanism: "PLAIN", milliseconds }];
const withSender = [...authenticated, { stage: "sender", milliseconds }];
const withRecipient = [...withSender, { stage: "recipient", milliseconds }];

type Case = [MailServerSettings["refuse"], string, object];

const cases: Case[] = [
  [
    { authentication: "535 5.7.8 Authentication failed" },
    "The SMTP server refused user and password.",
    {
      stage: "authentication",
      smtpCode: 535,
      enhancedCode: "5.7.8",
      reply: "Authentication failed",
      hint: "Check user and password. Many providers want the whole email address as user, and a password made for applications.",
      steps: connected,
    },
  ],
  [
    { sender: "553 5.7.1 Sender address rejected: not owned by user" },
    "The SMTP server refused the sender.",
    {
      stage: "sender",
      smtpCode: 553,
      enhancedCode: "5.7.1",
      reply: "Sender address rejected: not owned by user",
      hint: "The user may not send as this address: set from (or envelopeFrom) to an address that belongs to the user, or have it allowed.",
      steps: authenticated,
    },
  ],
  [
    { recipient: "450 4.2.0 Greylisted" },
    "The SMTP server refused the recipient.",
    {
      stage: "recipient",
      smtpCode: 450,
      enhancedCode: "4.2.0",
      reply: "Greylisted",
      hint: "The server refuses for now (greylisting, or too many mails in a short time): try again in some minutes.",
      steps: withSender,
    },
  ],
  [
    { message: "554 no thanks" },
    "The SMTP server refused the message.",
    {
      stage: "message",
      smtpCode: 554,
      reply: "no thanks",
      hint: "Ask who runs the server, with its reply at hand.",
      steps: withRecipient,
    },
  ],
];

describe.each(families)("a diagnosis, $family,", (family) => {
  let tester: Tester;
  beforeEach(async () => {
    tester = await newTester(family);
  });

  it.each(cases)("tells stage, codes, reply, hint and steps for %j", async (refuse, message, details) => {
    const server = await mailServer({ ...(refuse === undefined ? {} : { refuse }) });
    await tester.save(localSettings(server.port));
    const before = await tester.ada.sealed();
    expect(await tester.test()).toEqual(answer(502, "BAD_GATEWAY", message, details));
    expect((await server.findings()).mails).toEqual([]);
    expect(await tester.ada.sealed()).toBe(before);
  });

  it("of a probe with a wrong password is the same as of a mail", async () => {
    const server = await mailServer();
    const settings = localSettings(server.port, { password: "wrong" });
    const [probe, mail] = [await tester.test({ settings, mode: "probe" }), await tester.test({ settings })];
    expect(probe).toMatchObject({ httpStatus: 502, body: { stage: "authentication", smtpCode: 535 } });
    expect(mail).toEqual({ ...probe, body: { ...(probe.body as object), steps: connected } });
  });
});
