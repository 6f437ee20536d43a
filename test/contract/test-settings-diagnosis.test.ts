import { describe, expect, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { requestsTo, setBehavior } from "../support/network.ts";
import { dnsBehavior } from "../support/resolver.ts";
import { jsonResponse } from "../support/responses.ts";
import type { MailServerSettings } from "../support/smtp/mail-server.ts";
import { acceptsMail, authenticated as login } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const milliseconds = expect.any(Number);
const connected = [
  { stage: "connect", milliseconds },
  { stage: "greeting", milliseconds },
  { stage: "tls", tls: "STARTTLS", mechanisms: ["PLAIN", "LOGIN"], milliseconds },
];
const authenticated = [...connected, { stage: "authentication", mechanism: "PLAIN", milliseconds }];
const withSender = [...authenticated, { stage: "sender", milliseconds }];
const withRecipient = [...withSender, { stage: "recipient", milliseconds }];

interface Rejection {
  reject: NonNullable<MailServerSettings["reject"]>;
  message: string;
  diagnosis: { stage: string; [member: string]: unknown };
}

const wrongPassword: Rejection = {
  reject: { authentication: "535 5.7.8 Authentication failed" },
  message: "The SMTP server rejected the user and password.",
  diagnosis: {
    stage: "authentication",
    smtpCode: 535,
    enhancedCode: "5.7.8",
    reply: "Authentication failed",
    hint: "Check user and password. Many providers require the full email address as user, and an app password.",
    steps: connected,
  },
};

const wrongSender: Rejection = {
  reject: { sender: "553 5.7.1 Sender address rejected: not owned by user" },
  message: "The SMTP server rejected the sender.",
  diagnosis: {
    stage: "sender",
    smtpCode: 553,
    enhancedCode: "5.7.1",
    reply: "Sender address rejected: not owned by user",
    hint: "The user may not send as this address: set from (or envelopeFrom) to an address of the user, or allow this one on the server.",
    steps: authenticated,
  },
};

const laterRejections: Rejection[] = [
  wrongSender,
  {
    reject: { recipient: "450 4.2.0 Greylisted" },
    message: "The SMTP server rejected the recipient.",
    diagnosis: {
      stage: "recipient",
      smtpCode: 450,
      enhancedCode: "4.2.0",
      reply: "Greylisted",
      hint: "The server asks to try again later (greylisting, too many messages, or a fault of its own): try again in a few minutes.",
      steps: withSender,
    },
  },
  {
    reject: { message: "554 no thanks" },
    message: "The SMTP server rejected the message.",
    diagnosis: {
      stage: "message",
      smtpCode: 554,
      reply: "no thanks",
      hint: "Contact the server's administrator, and quote the reply.",
      steps: withRecipient,
    },
  },
];

/** Tests stored settings with a server that rejects them, and asserts that nothing changes. */
async function expectDiagnosis(family: (typeof families)[number], rejection: Rejection): Promise<void> {
  const { reject, message, diagnosis } = rejection;
  const client = await newSmtpTestClient(family);
  const server = await mailServer({ reject });
  await client.save(localSettings(server.port));
  const before = await client.ada.sealed();
  expect(await client.test()).toEqual(jsonResponse(502, "BAD_GATEWAY", message, diagnosis));
  expect((await server.state()).messages).toEqual([]);
  expect(await client.ada.sealed()).toBe(before);
}

describe.concurrent("A failed test", () => {
  it.each(families)("responds 502 with stage, codes, reply, hint and steps, $family", async (family) => {
    await expectDiagnosis(family, wrongPassword);
  });

  it.each(laterRejections)("describes the stage $diagnosis.stage", async (rejection) => {
    await expectDiagnosis(families[0], rejection);
  });

  it.each([
    ["password", wrongPassword],
    ["sender", wrongSender],
  ])("has the same diagnosis of a wrong %s for a probe and a mail", async (_, rejection) => {
    const client = await newSmtpTestClient(families[0]);
    const { reject, message, diagnosis } = rejection;
    const server = await mailServer({ reject });
    for (const mode of ["probe", "send"]) {
      expect(await client.test({ settings: localSettings(server.port), mode })).toEqual(
        jsonResponse(502, "BAD_GATEWAY", message, diagnosis),
      );
    }
  });
});

describe.concurrent("A test whose mail was sent", () => {
  const receivesMail = [...login(), ...acceptsMail.slice(0, -1)];

  it.each([
    [
      "says that the message may have arrived if no reply followed",
      [...receivesMail, { close: true as const }],
      "The SMTP server closed the connection while handling the message. The message may have arrived.",
    ],
    [
      "does not if the server rejected it",
      [...receivesMail, { send: "554 5.6.0 no\r\n" }],
      "The SMTP server rejected the message.",
    ],
    [
      "does not if the connection closed at DATA",
      [...login(), ...acceptsMail.slice(0, 4), { expect: "DATA" }, { close: true as const }],
      "The SMTP server closed the connection while handling the message.",
    ],
  ])("%s", async (_, script, message) => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer(script);
    const response = await client.test({ settings: localSettings(server.port) });
    expect(response).toMatchObject({ httpStatus: 502, body: { message } });
  });
});

describe("A test of a host that DNS does not have", () => {
  const settings = { ...localSettings(587), host: "no-such-host.example" };
  const unknown = {
    message: "The host name does not exist in DNS.",
    stage: "connect",
    hint: expect.stringMatching(/^Check the spelling of host\./),
  };

  async function bodyOf(resolver: string, host = settings.host) {
    const client = await newSmtpTestClient(families[0]);
    const env = { ALLOW_PRIVATE_HOSTS: "true", DOH_URL: resolver };
    const body = { settings: { ...settings, host }, mode: "probe" };
    return (await client.test(body, { body, env })).body;
  }

  it("says so, as the resolver in DOH_URL does", async () => {
    const resolver = `https://${crypto.randomUUID()}.test/dns-query`;
    await setBehavior(resolver, await dnsBehavior(3));
    expect(await bodyOf(resolver)).toMatchObject(unknown);
    expect(await requestsTo(resolver)).toMatchObject([{ method: "POST" }]);
  });

  it.each([
    ["has it", dnsBehavior(0)],
    ["fails", dnsBehavior(2)],
    ["is down", { kind: "down" as const }],
  ])("says that the server could not be reached if the resolver %s", async (_, behavior) => {
    const resolver = `https://${crypto.randomUUID()}.test/dns-query`;
    await setBehavior(resolver, await behavior);
    expect(await bodyOf(resolver)).toMatchObject({ message: "The SMTP server could not be reached." });
    expect(await requestsTo(resolver)).toHaveLength(1);
  });

  it("is the only one that leads to a query: not localhost, nor an IP address", async () => {
    const resolver = `https://${crypto.randomUUID()}.test/dns-query`;
    await setBehavior(resolver, await dnsBehavior(3));
    for (const host of ["localhost", "127.0.0.1"]) {
      const client = await newSmtpTestClient(families[0]);
      const body = { settings: { ...localSettings(1), host }, mode: "probe" };
      const env = { ALLOW_PRIVATE_HOSTS: "true", DOH_URL: resolver };
      expect(await client.test(body, { body, env })).toMatchObject({
        body: { message: "The SMTP server could not be reached." },
      });
    }
    expect(await requestsTo(resolver)).toEqual([]);
  });

  it("asks nobody if DOH_URL is empty", async () => {
    expect(await bodyOf("")).toMatchObject({ message: "The SMTP server could not be reached." });
  });
});
