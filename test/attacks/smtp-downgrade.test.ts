import { describe, expect, it } from "vitest";
import { expectClosed, failureOf } from "../support/smtp/conversations.ts";
import { greets, offers, replies, secured, takesMail } from "../support/smtp/scripts.ts";
import { type OrderedServer, scriptedServer } from "../support/smtp/servers.ts";

// User and password in every form that AUTH PLAIN and AUTH LOGIN give them.
const CREDENTIALS = /AUTH|correct horse|postmaster|AHBvc3RtYXN0ZXIA|cG9zdG1hc3Rlcg|Y29ycmVjdCBob3JzZQ/i;

/** Holds a recorded session to be these lines, without any credentials in it, and over. */
async function expectSession(server: OrderedServer, lines: string[]): Promise<void> {
  const session = (await server.findings()).lines;
  expect(session).toEqual(lines);
  expect(session.join("\n")).not.toMatch(CREDENTIALS);
  await expectClosed(server);
}

const EHLO = "EHLO mail.example.com";

/** A man in the middle: takes STARTTLS out of the offers, and waits for credentials in clear. */
const stripped = [
  ...greets,
  ...offers("AUTH PLAIN LOGIN CRAM-MD5"),
  ...replies("STARTTLS", "502 5.5.1 command not implemented"),
  ...replies("AUTH", "235 2.7.0 thank you"),
  ...takesMail,
];

describe("STARTTLS that is stripped", () => {
  it("ends the session where it is required: no AUTH line is ever sent, and the diagnosis says why", async () => {
    const server = await scriptedServer(stripped);
    expect(await failureOf(server)).toEqual({
      message: "STARTTLS is required, but the SMTP server does not offer it.",
      stage: "tls",
      smtpCode: 502,
      enhancedCode: "5.5.1",
      reply: "command not implemented",
      hint: "The server does not offer STARTTLS here, or something on the way removes it. Try port 465 with ssl.",
      steps: [
        { stage: "connect", milliseconds: expect.any(Number) },
        { stage: "greeting", milliseconds: expect.any(Number) },
      ],
    });
    await expectSession(server, [EHLO, "STARTTLS"]);
  });

  it("ends it where it is not required either, as there are credentials to send", async () => {
    const server = await scriptedServer(stripped);
    expect(await failureOf(server, { starttls: false })).toEqual({
      message: "The connection is not encrypted, so user and password were not sent.",
      stage: "tls",
      hint: "User and password are sent over TLS only, and the server does not offer STARTTLS here. Try port 465 with ssl.",
      steps: [
        { stage: "connect", milliseconds: expect.any(Number) },
        { stage: "greeting", milliseconds: expect.any(Number) },
      ],
    });
    await expectSession(server, [EHLO]);
  });

  it.each([{}, { starttls: false }])(
    "is no better by a refused EHLO, which makes clients go on with HELO (%j)",
    async (how) => {
      const server = await scriptedServer([
        ...greets,
        ...replies("EHLO", "502 5.5.1 unknown"),
        ...replies("HELO", "250 mx.example.net"),
        ...replies("AUTH", "235 2.7.0 thank you"),
      ]);
      expect(["greeting", "tls"]).toContain((await failureOf(server, how)).stage);
      expect((await server.findings()).lines.join("\n")).not.toMatch(CREDENTIALS);
      await expectClosed(server);
    },
  );
});

describe("STARTTLS that comes to no TLS", () => {
  it.each([{}, { starttls: false }])("by a refusal after the offer ends the session (%j)", async (how) => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...replies("STARTTLS", "454 4.7.0 TLS not available"),
      ...replies("AUTH", "235 2.7.0 thank you"),
    ]);
    expect(await failureOf(server, how)).toMatchObject({
      stage: "tls",
      smtpCode: 454,
      enhancedCode: "4.7.0",
    });
    await expectSession(server, [EHLO, "STARTTLS"]);
  });

  it.each([{}, { starttls: false }])(
    "by clear text in place of a handshake ends the session (%j)",
    async (how) => {
      const server = await scriptedServer([
        ...greets,
        ...offers("STARTTLS", "AUTH PLAIN"),
        ...replies("STARTTLS", "220 2.0.0 go ahead"),
        { drip: "2", everyMs: 100 },
        { send: "50 mx.example.net\r\n250 AUTH PLAIN\r\n" },
        ...replies("AUTH", "235 2.7.0 thank you"),
      ]);
      expect(await failureOf(server, how)).toMatchObject({
        stage: "tls",
        message: "The SMTP server agreed to STARTTLS, but no TLS connection came about.",
      });
      expect((await server.findings()).lines.join("\n")).not.toMatch(CREDENTIALS);
      await expectClosed(server);
    },
  );

  it("by rubbish in place of a reply has no code and no text of it in the diagnosis", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers(),
      ...replies("STARTTLS", "what?"),
      { hang: true },
    ]);
    const diagnosis = await failureOf(server);
    expect(diagnosis).toMatchObject({ stage: "tls" });
    expect(Object.keys(diagnosis).toSorted()).toEqual(["hint", "message", "stage", "steps"]);
    await expectSession(server, [EHLO, "STARTTLS"]);
  });
});

describe("clear text injected after the reply to STARTTLS (CVE-2011-0411)", () => {
  it.each([
    ["a whole reply", "220 go ahead\r\n250 AUTH PLAIN LOGIN\r\n"],
    ["the beginning of one", "220 go ahead\r\n250-injected"],
    ["several replies", "220 go ahead\r\n250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n"],
  ])("in one segment ends the session before authentication: %s", async (_, injected) => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS"),
      { expect: "STARTTLS" },
      { send: injected },
      { startTls: true },
      ...offers("AUTH PLAIN"),
      ...replies("AUTH", "235 2.7.0 thank you"),
    ]);
    expect(await failureOf(server)).toMatchObject({
      stage: "tls",
      message: "Data in clear came after the SMTP server's answer to STARTTLS.",
    });
    await expectSession(server, [EHLO, "STARTTLS", EHLO]);
  });
});

describe("what was offered before TLS is forgotten (RFC 3207 section 4.2):", () => {
  it("AUTH is not used where the second EHLO does not offer it", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...replies("STARTTLS", "220 go ahead"),
      { startTls: true },
      ...offers("HELP"),
      { hang: true },
    ]);
    expect(await failureOf(server)).toMatchObject({
      stage: "authentication",
      message: "The SMTP server does not offer to check a user and password.",
    });
    await expectSession(server, [EHLO, "STARTTLS", EHLO]);
  });

  it.each([{}, { starttls: false }])(
    "AUTH is not used where the second EHLO is refused (%j)",
    async (how) => {
      const server = await scriptedServer([
        ...greets,
        ...offers("STARTTLS", "AUTH PLAIN"),
        ...replies("STARTTLS", "220 go ahead"),
        { startTls: true },
        ...replies("EHLO", "502 5.5.1 no"),
        ...replies("HELO", "250 mx.example.net"),
        { hang: true },
      ]);
      expect(["tls", "authentication"]).toContain((await failureOf(server, how)).stage);
      expect((await server.findings()).lines.join("\n")).not.toMatch(CREDENTIALS);
      await expectClosed(server);
    },
  );

  it("a mechanism is the one of the second EHLO", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...replies("STARTTLS", "220 go ahead"),
      { startTls: true },
      ...offers("AUTH CRAM-MD5"),
      ...replies("AUTH", "454 4.7.0 later"),
      { hang: true },
    ]);
    expect(await failureOf(server)).toMatchObject({ stage: "authentication", smtpCode: 454 });
    expect((await server.findings()).lines.filter((line) => line.startsWith("AUTH"))).toEqual([
      "AUTH CRAM-MD5",
    ]);
  });

  it("SMTPUTF8 is not used where only the first EHLO offered it", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "SMTPUTF8"),
      ...replies("STARTTLS", "220 go ahead"),
      { startTls: true },
      ...offers(),
      { hang: true },
    ]);
    const settings = { user: undefined, password: undefined, from: "jörg@example.com" };
    expect(await failureOf(server, settings)).toMatchObject({ stage: "sender" });
    await expectSession(server, [EHLO, "STARTTLS", EHLO]);
  });
});

it("a session over TLS does carry AUTH, so that the records above would show it", async () => {
  const server = await scriptedServer([
    ...secured("AUTH PLAIN"),
    ...replies("AUTH", "535 no"),
    { hang: true },
  ]);
  expect(await failureOf(server)).toMatchObject({ stage: "authentication" });
  expect((await server.findings()).lines.join("\n")).toMatch(CREDENTIALS);
});
