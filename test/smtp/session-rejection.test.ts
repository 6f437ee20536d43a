import { describe, expect, it } from "vitest";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, greets, offers, replies, secured } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { diagnosisOf, expectClosed, openSession } from "../support/smtp/sessions.ts";

const close: ScriptAction = { close: true };
const pipelining = true;
const pipelined: ScriptAction[] = [...authenticated("PIPELINING"), { expect: "DATA" }];

describe.concurrent("SMTP session with a server that rejects and closes the connection", () => {
  it.each<[stage: string, code: number, title: string, script: ScriptAction[]]>([
    ["greeting", 554, "instead of a greeting", [{ send: "554 5.7.1 no\r\n" }, close]],
    ["greeting", 421, "right after its greeting", [{ send: "220 mx\r\n421 4.3.2 busy\r\n" }, close]],
    ["greeting", 421, "at EHLO", [...greets, ...replies("EHLO", "421 4.7.0 try later"), close]],
    [
      "tls",
      454,
      "at STARTTLS",
      [...greets, ...offers("STARTTLS"), ...replies("STARTTLS", "454 4.7.0 not available"), close],
    ],
    ["authentication", 535, "at AUTH", [...secured("AUTH PLAIN"), ...replies("AUTH", "535 5.7.8 no"), close]],
    [
      "authentication",
      535,
      "between the lines of AUTH LOGIN",
      [...secured("AUTH LOGIN"), ...replies("AUTH", "334 VXNlcm5hbWU6\r\n535 5.7.8 no"), close],
    ],
    ["sender", 553, "at MAIL", [...authenticated(), ...replies("MAIL", "553 5.7.1 not yours"), close]],
    [
      "recipient",
      550,
      "at RCPT",
      [...authenticated(), ...replies("MAIL", "250 ok"), ...replies("RCPT", "550 5.1.1 unknown"), close],
    ],
    [
      "message",
      552,
      "after the message",
      [...authenticated(), ...acceptsMail.slice(0, -1), { send: "552 5.3.4 too large\r\n" }, close],
    ],
    ["sender", 421, "MAIL, pipelined", [...pipelined, { send: "421 4.7.0 too many errors\r\n" }, close]],
    ["sender", 553, "all of a pipeline", [...pipelined, { send: "553 no\r\n503 no\r\n503 no\r\n" }, close]],
    ["recipient", 550, "RCPT, pipelined", [...pipelined, { send: "250 ok\r\n550 5.1.1 no\r\n" }, close]],
    ["recipient", 521, "RCPT, pipelined, with 521", [...pipelined, { send: "250 ok\r\n521 bye\r\n" }, close]],
    ["recipient", 550, "RCPT, pipelined, without CRLF", [...pipelined, { send: "250 ok\r\n550 no" }, close]],
    ["message", 451, "DATA, pipelined", [...pipelined, { send: "250 ok\r\n250 ok\r\n451 later\r\n" }, close]],
  ])("reports the rejection at %s with %i (%s)", async (stage, smtpCode, _, script) => {
    const server = await scriptedServer(script);
    expect(await diagnosisOf(server, { pipelining })).toMatchObject({ stage, smtpCode });
    await expectClosed(server);
  });

  it("reports at the sender a rejection that follows the reply to AUTH", async () => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", "235 ok\r\n421 4.7.0 too many connections"),
      close,
    ]);
    const { session, message } = await openSession(server);
    expect(await session.send(message)).toMatchObject({
      ok: false,
      failure: { kind: "reply", stage: "sender", reply: "421 4.7.0 too many connections" },
    });
    await expectClosed(server);
  });

  it("reports a closed connection if the last reply was positive", async () => {
    const server = await scriptedServer([...pipelined, { send: "250 ok\r\n250 ok\r\n" }, close]);
    const diagnosis = await diagnosisOf(server, { pipelining });
    expect(diagnosis).toMatchObject({
      stage: "message",
      message: "The SMTP server closed the connection while handling the message.",
    });
    expect(diagnosis).not.toHaveProperty("smtpCode");
  });
});

describe.concurrent("SMTP session", () => {
  it("sends no message after a rejected recipient, even if the server replies 354 to DATA", async () => {
    const server = await scriptedServer([
      ...pipelined,
      { send: "250 ok\r\n550 no\r\n354 go\r\n" },
      { hang: true },
    ]);
    expect(await diagnosisOf(server, { pipelining })).toMatchObject({ stage: "recipient", smtpCode: 550 });
    await expectClosed(server);
    const commands = (await server.state()).lines.slice(-3).map((line) => line.slice(0, 4));
    expect(commands).toEqual(["MAIL", "RCPT", "DATA"]);
  });

  it("reports a malformed reply to the message as a protocol error", async () => {
    const server = await scriptedServer([
      ...authenticated(),
      ...acceptsMail.slice(0, -1),
      { send: "rubbish\r\n" },
      { hang: true },
    ]);
    const diagnosis = await diagnosisOf(server);
    expect(diagnosis).toMatchObject({
      message: "The SMTP server sent an invalid reply while handling the message.",
      stage: "message",
    });
    expect(diagnosis).not.toHaveProperty("reply");
  });
});
