import { describe, expect, it } from "vitest";
import { acceptsMail, greets, offers, replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer, type TestServer } from "../support/smtp/servers.ts";
import { diagnosisOf, expectClosed } from "../support/smtp/sessions.ts";

// User and password as AUTH PLAIN and AUTH LOGIN encode them.
const CREDENTIALS = /AUTH|correct horse|postmaster|AHBvc3RtYXN0ZXIA|cG9zdG1hc3Rlcg|Y29ycmVjdCBob3JzZQ/i;

const EHLO = "EHLO mail.example.com";
const milliseconds = expect.any(Number);

/** Required STARTTLS, and STARTTLS if offered. */
const modes = [{ starttls: true }, { starttls: false }];

/** Asserts that the client has sent these lines, no credentials, and has closed the connection. */
async function expectLines(server: TestServer, lines: string[]): Promise<void> {
  expect((await server.state()).lines).toEqual(lines);
  await expectNoCredentials(server);
}

async function expectNoCredentials(server: TestServer): Promise<void> {
  expect((await server.state()).lines.join("\n")).not.toMatch(CREDENTIALS);
  await expectClosed(server);
}

/** An attacker on the path: removes STARTTLS, and waits for credentials in clear text. */
const stripped = [
  ...greets,
  ...offers("AUTH PLAIN LOGIN CRAM-MD5"),
  ...replies("STARTTLS", "502 5.5.1 command not implemented"),
  ...replies("AUTH", "235 2.7.0 thank you"),
  ...acceptsMail,
];

describe("A session without STARTTLS", () => {
  it("ends without AUTH if STARTTLS is required, and reports that it is not offered", async () => {
    const server = await scriptedServer(stripped);
    expect(await diagnosisOf(server)).toEqual({
      message: "STARTTLS is required, but the SMTP server does not offer it.",
      stage: "tls",
      smtpCode: 502,
      enhancedCode: "5.5.1",
      reply: "command not implemented",
      hint: "The server does not offer STARTTLS on this port, or something on the way removes the offer. Try port 465 with ssl.",
      steps: [
        { stage: "connect", milliseconds },
        { stage: "greeting", milliseconds },
      ],
    });
    await expectLines(server, [EHLO, "STARTTLS"]);
  });

  it("ends without AUTH if STARTTLS is optional, because there are credentials", async () => {
    const server = await scriptedServer(stripped);
    expect(await diagnosisOf(server, { settings: { starttls: false } })).toEqual({
      message: "The connection is not encrypted, so the user and password were not sent.",
      stage: "tls",
      hint: "User and password are sent over TLS only, and the server does not offer STARTTLS on this port. Try port 465 with ssl.",
      steps: [
        { stage: "connect", milliseconds },
        { stage: "greeting", mechanisms: ["PLAIN", "LOGIN", "CRAM-MD5"], milliseconds },
      ],
    });
    await expectLines(server, [EHLO]);
  });

  it.each(modes)("ends without AUTH if a rejected EHLO forces HELO (%j)", async (settings) => {
    const server = await scriptedServer([
      ...greets,
      ...replies("EHLO", "502 5.5.1 unknown"),
      ...replies("HELO", "250 mx.example.net"),
      ...replies("AUTH", "235 2.7.0 thank you"),
    ]);
    expect(["greeting", "tls"]).toContain((await diagnosisOf(server, { settings })).stage);
    await expectNoCredentials(server);
  });
});

describe("A session whose STARTTLS fails", () => {
  it.each(modes)("ends if the server rejects STARTTLS after offering it (%j)", async (settings) => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...replies("STARTTLS", "454 4.7.0 TLS not available"),
      ...replies("AUTH", "235 2.7.0 thank you"),
    ]);
    expect(await diagnosisOf(server, { settings })).toMatchObject({
      stage: "tls",
      smtpCode: 454,
      enhancedCode: "4.7.0",
    });
    await expectLines(server, [EHLO, "STARTTLS"]);
  });

  it.each(modes)("ends if clear text replaces the handshake (%j)", async (settings) => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...replies("STARTTLS", "220 2.0.0 go ahead"),
      { drip: "2", everyMs: 50 },
      { send: "50 mx.example.net\r\n250 AUTH PLAIN\r\n" },
      ...replies("AUTH", "235 2.7.0 thank you"),
    ]);
    expect(await diagnosisOf(server, { settings })).toMatchObject({
      stage: "tls",
      message: "The SMTP server accepted STARTTLS, but the TLS handshake failed.",
    });
    await expectNoCredentials(server);
  });

  it("reports neither code nor text of a malformed reply", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers(),
      ...replies("STARTTLS", "what?"),
      { hang: true },
    ]);
    const diagnosis = await diagnosisOf(server);
    expect(diagnosis).toMatchObject({ stage: "tls" });
    expect(Object.keys(diagnosis).toSorted()).toEqual(["hint", "message", "stage", "steps"]);
    await expectLines(server, [EHLO, "STARTTLS"]);
  });
});

describe("Clear text after the reply to STARTTLS (CVE-2011-0411)", () => {
  it.each([
    ["a complete reply", "220 go ahead\r\n250 AUTH PLAIN LOGIN\r\n"],
    ["the beginning of a reply", "220 go ahead\r\n250-injected"],
    ["several replies", "220 go ahead\r\n250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n"],
  ])("ends the session before authentication: %s in one segment", async (_, injected) => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS"),
      { expect: "STARTTLS" },
      { send: injected },
      { startTls: true },
      ...offers("AUTH PLAIN"),
      ...replies("AUTH", "235 2.7.0 thank you"),
    ]);
    expect(await diagnosisOf(server)).toMatchObject({
      stage: "tls",
      message: "Unencrypted data followed the SMTP server's reply to STARTTLS.",
    });
    await expectLines(server, [EHLO, "STARTTLS", EHLO]);
  });
});

describe("A session over TLS discards what the server offered before (RFC 3207 section 4.2)", () => {
  const startsTls = [...replies("STARTTLS", "220 go ahead"), { startTls: true as const }];

  it("does not use AUTH if the second EHLO reply does not offer it", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...startsTls,
      ...offers("HELP"),
      { hang: true },
    ]);
    expect(await diagnosisOf(server)).toMatchObject({
      stage: "authentication",
      message: "The SMTP server does not offer authentication by user and password.",
    });
    await expectLines(server, [EHLO, "STARTTLS", EHLO]);
  });

  it.each(modes)("does not use AUTH if the server rejects the second EHLO (%j)", async (settings) => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...startsTls,
      ...replies("EHLO", "502 5.5.1 no"),
      ...replies("HELO", "250 mx.example.net"),
      { hang: true },
    ]);
    expect(["tls", "authentication"]).toContain((await diagnosisOf(server, { settings })).stage);
    await expectNoCredentials(server);
  });

  it("uses a mechanism of the second EHLO reply", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "AUTH PLAIN"),
      ...startsTls,
      ...offers("AUTH CRAM-MD5"),
      ...replies("AUTH", "454 4.7.0 later"),
      { hang: true },
    ]);
    expect(await diagnosisOf(server)).toMatchObject({ stage: "authentication", smtpCode: 454 });
    expect((await server.state()).lines.filter((line) => line.startsWith("AUTH"))).toEqual(["AUTH CRAM-MD5"]);
  });

  it("does not use SMTPUTF8 if only the first EHLO reply offered it", async () => {
    const server = await scriptedServer([
      ...greets,
      ...offers("STARTTLS", "SMTPUTF8"),
      ...startsTls,
      ...offers(),
      { hang: true },
    ]);
    const settings = { user: undefined, password: undefined, from: "jörg@example.com" };
    expect(await diagnosisOf(server, { settings })).toMatchObject({ stage: "sender" });
    await expectLines(server, [EHLO, "STARTTLS", EHLO, "QUIT"]);
  });

  it("sends AUTH, so the assertions above would notice it", async () => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", "535 no"),
      { hang: true },
    ]);
    expect(await diagnosisOf(server)).toMatchObject({ stage: "authentication" });
    expect((await server.state()).lines.join("\n")).toMatch(CREDENTIALS);
  });
});
