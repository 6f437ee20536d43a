import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { smtpFailure } from "../support/smtp/failures.ts";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, replies } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer, type TestServer } from "../support/smtp/servers.ts";
import { expectClosed, openSession } from "../support/smtp/sessions.ts";

const close: ScriptAction = { close: true };
const open = [...authenticated()];
const openPipelining = [...authenticated("PIPELINING")];
const accepted = { ok: true, steps: { length: 7 } };

/** The verbs of all commands after authentication. */
async function verbsOf(server: TestServer): Promise<string[]> {
  const { lines } = await server.state();
  return lines.map((line) => line.slice(0, 4)).filter((verb) => /^(MAIL|RCPT|DATA|RSET|QUIT)$/.test(verb));
}

describe.concurrent("SMTP session that sends several messages", () => {
  it("uses one connection, and QUIT once", async () => {
    const server = await mailServer();
    const { session, message } = await openSession(server, { pipelining: true });
    for (const _ of [1, 2, 3]) expect(await session.send(message)).toMatchObject(accepted);
    session.close();
    session.close();
    await expectClosed(server);
    expect(await server.state()).toMatchObject({ messages: { length: 3 }, connections: 1 });
    await expect(session.send(message)).rejects.toThrow("The SMTP session is not open");
  });

  it("sends the commands of one mail after the reply to the other", async () => {
    const server = await scriptedServer([...open, ...acceptsMail, ...acceptsMail]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject(accepted);
    expect(await session.send(message)).toMatchObject(accepted);
    session.close();
    await expectClosed(server);
    expect(await verbsOf(server)).toEqual(["MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA", "QUIT"]);
  });

  it.each<[stage: string, title: string, script: ScriptAction[], verbs: string[]]>([
    ["sender", "MAIL", [...open, ...replies("MAIL", "550 no")], ["MAIL", "RSET"]],
    [
      "recipient",
      "RCPT",
      [...open, ...replies("MAIL", "250 ok"), ...replies("RCPT", "550 no")],
      ["MAIL", "RCPT", "RSET"],
    ],
    [
      "message",
      "DATA",
      [...open, ...acceptsMail.slice(0, -4), ...replies("DATA", "550 no")],
      ["MAIL", "RCPT", "DATA", "RSET"],
    ],
    [
      "sender",
      "MAIL, pipelined",
      [...openPipelining, { expect: "DATA" }, { send: "550 no\r\n503 no\r\n503 no\r\n" }],
      ["MAIL", "RCPT", "DATA", "RSET"],
    ],
    [
      "recipient",
      "RCPT, pipelined",
      [...openPipelining, { expect: "DATA" }, { send: "250 ok\r\n550 no\r\n554 no recipients\r\n" }],
      ["MAIL", "RCPT", "DATA", "RSET"],
    ],
    [
      "message",
      "DATA, pipelined",
      [...openPipelining, { expect: "DATA" }, { send: "250 ok\r\n250 ok\r\n550 no\r\n" }],
      ["MAIL", "RCPT", "DATA", "RSET"],
    ],
  ])("resets a mail rejected at the %s (%s), and sends the next", async (stage, _, script, verbs) => {
    const server = await scriptedServer([...script, ...replies("RSET", "250 ok"), ...acceptsMail]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject({ ok: false, failure: { kind: "reply", stage } });
    expect(session.isOpen).toBe(true);
    expect(await session.send(message)).toMatchObject(accepted);
    session.close();
    await expectClosed(server);
    expect(await verbsOf(server)).toEqual([...verbs, "MAIL", "RCPT", "DATA", "QUIT"]);
  });

  it("sends the next mail after a rejected message, which ends its transaction by itself", async () => {
    const server = await scriptedServer([
      ...open,
      ...acceptsMail.slice(0, -1),
      { send: "550 5.7.1 spam\r\n" },
      ...acceptsMail,
    ]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject({ ok: false, failure: { stage: "message" } });
    expect(await session.send(message)).toMatchObject(accepted);
    expect(await verbsOf(server)).not.toContain("RSET");
    session.close();
  });

  it("sends the next mail after one that exceeds the server's size limit or needs SMTPUTF8", async () => {
    const server = await scriptedServer([...authenticated("SIZE 2000"), ...acceptsMail]);
    const { session, message } = await openSession(server, { pipelining: true });
    const large = { ...message, raw: Buffer.alloc(2_001, "a") };
    const international = { ...message, headerNeedsSmtpUtf8: true };
    for (const [rejected, kind] of [
      [large, "too_large"],
      [international, "smtputf8_not_offered"],
    ] as const) {
      expect(await session.send(rejected)).toMatchObject({ ok: false, failure: { kind } });
    }
    expect(await session.send(message)).toMatchObject(accepted);
    expect(await verbsOf(server)).toEqual(["MAIL", "RCPT", "DATA"]);
    session.close();
  });

  it("attributes the late replies to pipelined commands to the mail that they are about", async () => {
    const server = await scriptedServer([
      ...openPipelining,
      { expect: "DATA" },
      { send: "250 ok\r\n550 no\r\n" },
      { wait: true as const },
      { send: "554 no recipients\r\n" },
      ...replies("RSET", "250 ok"),
      ...acceptsMail,
    ]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject({ ok: false, failure: { stage: "recipient" } });
    const next = session.send(message);
    expect(await verbsOf(server)).toEqual(["MAIL", "RCPT", "DATA"]);
    await server.release();
    expect(await next).toMatchObject(accepted);
    session.close();
  });

  it("sends commands one by one after a rejection, so that a server that hangs up can reply", async () => {
    const server = await scriptedServer([
      ...openPipelining,
      { expect: "DATA" },
      { send: "250 ok\r\n550 no\r\n554 no recipients\r\n" },
      ...replies("RSET", "250 ok"),
      ...replies("MAIL", "250 ok"),
      ...replies("RCPT", "550 5.1.1 unknown"),
      close,
    ]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject({ ok: false, failure: { stage: "recipient" } });
    expect(await session.send(message)).toMatchObject({
      failure: { kind: "reply", stage: "recipient", reply: "550 5.1.1 unknown" },
    });
    await expectClosed(server);
    expect(await verbsOf(server)).toEqual(["MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT"]);
  });

  it("limits the input of each mail, not of all", async () => {
    const long = Array.from({ length: 60 }, () => `250-${"x".repeat(900)}\r\n`).join("");
    const server = await scriptedServer([
      ...open,
      ...[1, 2, 3].flatMap(() => [...acceptsMail.slice(0, -1), { send: `${long}250 queued\r\n` }]),
    ]);
    const { session, message } = await openSession(server, { pipelining: true });
    for (const _ of [1, 2, 3]) expect(await session.send(message)).toMatchObject(accepted);
    session.close();
  });
});

describe.concurrent("SMTP session whose server ends it between two messages", () => {
  /** Sends a mail that ends as expected, waits until the server has closed, and sends another. */
  async function resultAfter(script: ScriptAction[], first: Record<string, unknown>) {
    const server = await scriptedServer([...script, close]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject(first);
    await expectClosed(server);
    const result = await session.send(message);
    expect(session.isOpen).toBe(false);
    return result;
  }

  it("reports a closed connection", async () => {
    expect(await resultAfter([...open, ...acceptsMail], accepted)).toMatchObject({
      ok: false,
      failure: { kind: "closed", stage: "sender", steps: { length: 4 } },
    });
  });

  it("reports a 421 that nobody asked for", async () => {
    const script = [...open, ...acceptsMail, { send: "421 4.4.2 idle for too long\r\n" }];
    expect(await resultAfter(script, accepted)).toMatchObject({
      ok: false,
      failure: { kind: "reply", stage: "sender", reply: "421 4.4.2 idle for too long" },
    });
  });

  it("reports a closed connection, and not the rejection of the mail before", async () => {
    const script: ScriptAction[] = [
      ...openPipelining,
      { expect: "DATA" },
      { send: "250 ok\r\n550 5.1.1 unknown\r\n554 5.5.1 no recipients\r\n" },
    ];
    expect(await resultAfter(script, { ok: false })).toEqual({
      ok: false,
      failure: smtpFailure("closed", "sender", { steps: expect.objectContaining({ length: 4 }) }),
    });
  });

  it("reports a closed connection, and not the rejected message before", async () => {
    const script = [...open, ...acceptsMail.slice(0, -1), { send: "550 5.7.1 spam\r\n" }];
    expect(await resultAfter(script, { ok: false })).toEqual({
      ok: false,
      failure: smtpFailure("closed", "sender", { steps: expect.objectContaining({ length: 4 }) }),
    });
  });

  it("is not open once the server has closed", async () => {
    const server = await scriptedServer([...open, ...acceptsMail, close]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject(accepted);
    await expectClosed(server);
    await eventually(() => expect(session.isOpen).toBe(false));
  });
});

describe.concurrent("SMTP session with a server that sends no more mail", () => {
  it("closes after a 421 in reply to the next mail", async () => {
    const server = await scriptedServer([...open, ...acceptsMail, ...replies("MAIL", "421 4.7.0 enough")]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject(accepted);
    expect(await session.send(message)).toMatchObject({
      ok: false,
      failure: { kind: "reply", stage: "sender", reply: "421 4.7.0 enough" },
    });
    expect(session.isOpen).toBe(false);
    await expectClosed(server);
  });

  it("closes after a rejected RSET, which is not about the next mail", async () => {
    const server = await scriptedServer([
      ...open,
      ...replies("MAIL", "550 no"),
      ...replies("RSET", "502 5.5.1 what?"),
      { hang: true },
    ]);
    const { session, message } = await openSession(server, { pipelining: true });
    expect(await session.send(message)).toMatchObject({ ok: false });
    expect(await session.send(message)).toEqual({
      ok: false,
      failure: smtpFailure("closed", "sender", { steps: expect.objectContaining({ length: 4 }) }),
    });
    await expectClosed(server);
  });

  it.each(["354 go", "250 go"])(
    "closes after a %s to DATA that follows a rejected recipient",
    async (reply) => {
      const server = await scriptedServer([
        ...openPipelining,
        { expect: "DATA" },
        { send: `250 ok\r\n550 no\r\n${reply}\r\n` },
        { hang: true },
      ]);
      const { session, message } = await openSession(server, { pipelining: true });
      expect(await session.send(message)).toMatchObject({ ok: false, failure: { stage: "recipient" } });
      expect(await session.send(message)).toMatchObject({ failure: { kind: "closed", stage: "sender" } });
      await expectClosed(server);
      expect(await verbsOf(server)).toEqual(["MAIL", "RCPT", "DATA"]);
    },
  );
});
