import { describe, expect, it } from "vitest";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, replies, secured } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer, type TestServer } from "../support/smtp/servers.ts";
import { diagnosisOf, expectClosed, newSession, receivedMail, stepsOf } from "../support/smtp/sessions.ts";

const milliseconds = expect.any(Number);

describe.concurrent("SMTP authentication", () => {
  it.each(["PLAIN", "LOGIN", "CRAM-MD5"])("succeeds by %s", async (mechanism) => {
    const server = await mailServer({ mechanisms: [mechanism] });
    expect(await stepsOf(server)).toContainEqual({ stage: "authentication", mechanism, milliseconds });
    expect(await receivedMail(server)).toMatchObject({ user: "postmaster", mechanism, secure: true });
    await expectClosed(server);
  });

  it.each([
    [["CRAM-MD5", "LOGIN", "PLAIN"], "PLAIN"],
    [["CRAM-MD5", "LOGIN"], "LOGIN"],
    [["XOAUTH2", "CRAM-MD5"], "CRAM-MD5"],
  ])("prefers, of %j, %s", async (mechanisms, mechanism) => {
    const server = await mailServer({ mechanisms });
    await stepsOf(server);
    expect((await receivedMail(server)).mechanism).toBe(mechanism);
  });

  it.each([
    ["after STARTTLS", "tls", {}, {}],
    ["after implicit TLS", "greeting", { implicitTls: true }, { ssl: true }],
  ])("names the offered mechanisms in the step before it, %s", async (_, stage, options, settings) => {
    const server = await mailServer({ mechanisms: ["CRAM-MD5", "XOAUTH2", "PLAIN"], ...options });
    const steps = await stepsOf(server, { settings });
    const named = steps.filter(({ mechanisms }) => mechanisms !== undefined);
    expect(named).toMatchObject([{ stage, mechanisms: ["CRAM-MD5", "XOAUTH2", "PLAIN"] }]);
  });

  it("accepts a mechanism in lower case, and in the form before RFC 2554", async () => {
    const server = await scriptedServer([
      ...secured("auth=login"),
      ...replies("AUTH LOGIN", "334 VXNlcm5hbWU6"),
      ...replies("cG9zdG1hc3Rlcg==", "334 UGFzc3dvcmQ6"),
      ...replies("Y29ycmVjdCBob3JzZQ==", "235 ok"),
      ...acceptsMail,
    ]);
    const step = { stage: "authentication", mechanism: "LOGIN", milliseconds };
    expect(await stepsOf(server)).toContainEqual(step);
    expect((await server.state()).lines).toContain("MAIL FROM:<sender@example.com>");
  });

  it("sends user and password in UTF-8", async () => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", "235 ok"),
      ...acceptsMail,
    ]);
    await stepsOf(server, { settings: { user: "jörg", password: "pässwörd €" } });
    const line = (await server.state()).lines.find((text) => text.startsWith("AUTH PLAIN "));
    expect(Buffer.from(line?.slice(11) ?? "", "base64").toString("utf8")).toBe("\0jörg\0pässwörd €");
  });

  it.each([
    ["auth is false", { auth: false }],
    ["there is no user", { user: undefined, password: undefined }],
    ["there is no password", { password: undefined }],
  ])("does not happen if %s, although the server offers it", async (_, settings) => {
    const server = await scriptedServer([...secured("AUTH PLAIN"), ...acceptsMail]);
    const stages = (await stepsOf(server, { settings })).map(({ stage }) => stage);
    expect(stages).toEqual(["connect", "greeting", "tls", "sender", "recipient", "message"]);
    expect((await server.state()).lines.join("\n")).not.toMatch(/AUTH|cG9zdG1hc3Rlcg/);
    await expectClosed(server);
  });

  it.each([
    ["no AUTH", "HELP", "offers no AUTH mechanism for a user and password"],
    ["no mechanism for a password", "AUTH GSSAPI XOAUTH2 NTLM", "offers AUTH by GSSAPI, XOAUTH2, NTLM only"],
    [
      "only mechanisms with longer names",
      "AUTH PLAIN-CLIENTTOKEN XPLAIN",
      "offers AUTH by PLAIN-CLIENTTOKEN",
    ],
  ])("fails, and sends nothing, if the server offers %s", async (_, extension, hint) => {
    const server = await scriptedServer([...secured(extension), { hang: true }]);
    expect(await diagnosisOf(server)).toMatchObject({
      stage: "authentication",
      message: "The SMTP server does not offer authentication by user and password.",
      hint: expect.stringContaining(hint),
    });
    expect((await server.state()).lines.join("\n")).not.toMatch(/AUTH|MAIL/);
    await expectClosed(server);
  });

  it.each(["PLAIN", "LOGIN", "CRAM-MD5"])(
    "reports the reply to a wrong password by %s",
    async (mechanism) => {
      const server = await mailServer({ mechanisms: [mechanism] });
      expect(await diagnosisOf(server, { settings: { password: "wrong" } })).toMatchObject({
        stage: "authentication",
        smtpCode: 535,
        message: "The SMTP server rejected the user and password.",
      });
      expect((await server.state()).messages).toEqual([]);
      await expectClosed(server);
    },
  );
});

/** A server that offers these mechanisms, then follows a script. */
const offering = (mechanisms: string, ...script: ScriptAction[]) =>
  scriptedServer([...secured(`AUTH ${mechanisms}`), ...script]);

const hang: ScriptAction = { hang: true };

/** The lines that a client sent after TLS and its EHLO. */
async function linesOf(server: TestServer): Promise<string[]> {
  const { lines } = await server.state();
  return lines.slice(lines.lastIndexOf("EHLO mail.example.com") + 1);
}

describe.concurrent("SMTP authentication with a server that refuses a mechanism", () => {
  const plain = "AUTH PLAIN AHBvc3RtYXN0ZXIAY29ycmVjdCBob3JzZQ==";

  it("succeeds by the next that it offers", async () => {
    const server = await offering(
      "CRAM-MD5 PLAIN LOGIN",
      ...replies("AUTH PLAIN", "504 5.5.4 Unrecognized authentication type"),
      ...replies("AUTH LOGIN", "334 VXNlcm5hbWU6"),
      ...replies("cG9zdG1hc3Rlcg==", "334 UGFzc3dvcmQ6"),
      ...replies("Y29ycmVjdCBob3JzZQ==", "235 ok"),
      ...acceptsMail,
    );
    expect(await stepsOf(server)).toContainEqual({
      stage: "authentication",
      mechanism: "LOGIN",
      milliseconds,
    });
  });

  it("fails with the last reply if it refuses all", async () => {
    const server = await offering(
      "PLAIN CRAM-MD5",
      ...replies("AUTH PLAIN", "504 5.5.4 no PLAIN"),
      ...replies("AUTH CRAM-MD5", "500 5.5.1 no CRAM-MD5"),
      hang,
    );
    const { session } = newSession(server);
    expect(await session.open()).toMatchObject({
      failure: { kind: "reply", stage: "authentication", reply: "500 5.5.1 no CRAM-MD5" },
    });
    expect(await linesOf(server)).toEqual([plain, "AUTH CRAM-MD5"]);
    await expectClosed(server);
  });

  it.each([
    ["5.7.8 in reply to AUTH", "PLAIN LOGIN", [...replies("AUTH PLAIN", "501 5.7.8 Authentication failed")]],
    [
      "501 in reply to the password",
      "LOGIN CRAM-MD5",
      [
        ...replies("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        ...replies("cG9zdG1hc3Rlcg==", "334 UGFzc3dvcmQ6"),
        ...replies("Y29ycmVjdCBob3JzZQ==", "501 Authentication failed!"),
      ],
    ],
  ])("is not repeated after a check of the password: %s", async (_, mechanisms, script) => {
    const server = await offering(mechanisms, ...script, { hang: true });
    const { session } = newSession(server);
    expect(await session.open()).toMatchObject({ failure: { kind: "reply", isAuthRefused: false } });
    await session.close();
    const { lines } = await server.state();
    expect(lines.filter((line) => line.startsWith("AUTH"))).toHaveLength(1);
  });

  it("fails with the refusal if it then closes", async () => {
    const server = await offering("PLAIN LOGIN", ...replies("AUTH PLAIN", "504 5.5.4 no"), { close: true });
    const { session } = newSession(server);
    expect(await session.open()).toMatchObject({ failure: { kind: "reply", reply: "504 5.5.4 no" } });
  });

  it.each(["535 5.7.8 no", "454 4.7.0 later", "503 5.5.1 not now"])(
    "sends the password once after %s",
    async (reply) => {
      const server = await offering("PLAIN LOGIN CRAM-MD5", ...replies("AUTH", reply), hang);
      expect(await diagnosisOf(server)).toMatchObject({ smtpCode: Number(reply.slice(0, 3)) });
      expect(await linesOf(server)).toEqual([plain]);
    },
  );
});

describe.concurrent("SMTP authentication with a server that asks", () => {
  it("accepts a 334 without a space (RFC 5321 section 4.2.1)", async () => {
    const server = await offering(
      "LOGIN",
      ...replies("AUTH LOGIN", "334"),
      ...replies("cG9zdG1hc3Rlcg==", "334"),
      ...replies("Y29ycmVjdCBob3JzZQ==", "235"),
      ...acceptsMail,
    );
    expect(await stepsOf(server)).toContainEqual({
      stage: "authentication",
      mechanism: "LOGIN",
      milliseconds,
    });
  });

  it("sends a password too long for the line of AUTH after an empty challenge", async () => {
    const password = "p".repeat(1_024);
    const response = Buffer.from(`\0postmaster\0${password}`).toString("base64");
    const server = await offering(
      "PLAIN",
      ...replies("AUTH PLAIN", "334 "),
      ...replies(response, "235 ok"),
      ...acceptsMail,
    );
    await stepsOf(server, { settings: { password } });
    expect((await linesOf(server)).slice(0, 2)).toEqual(["AUTH PLAIN", response]);
  });

  it.each([
    ["PLAIN", 1, "334 bW9yZQ=="],
    ["LOGIN", 3, "334 bW9yZQ=="],
    ["CRAM-MD5", 2, "334 PGFAYj4="],
    ["CRAM-MD5", 1, "334 not base64"],
    ["CRAM-MD5", 1, "334"],
  ])("cancels %s after %i lines if %s does not end", async (mechanism, answered, challenge) => {
    const challenges = Array.from({ length: 20 }, () => replies("", challenge)).flat();
    const server = await offering(mechanism, ...challenges, hang);
    const { session } = newSession(server);
    expect(await session.open()).toMatchObject({
      failure: { kind: "protocol_error", stage: "authentication" },
    });
    const lines = await linesOf(server);
    expect(lines.slice(answered)).toEqual(["*"]);
    await expectClosed(server);
  });
});
