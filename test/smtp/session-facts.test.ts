import { describe, expect, it } from "vitest";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, replies } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { newSession, openSession } from "../support/smtp/sessions.ts";

const close: ScriptAction = { close: true };
const hang: ScriptAction = { hang: true };
/** Receives the content, and does not reply. */
const receivesMail = acceptsMail.slice(0, -1);

async function failureAfter(script: ScriptAction[], changes: Parameters<typeof openSession>[1] = {}) {
  const server = await scriptedServer([...authenticated("SMTPUTF8"), ...script]);
  const { session, message } = await openSession(server, changes);
  const result = await session.send(message);
  session.close();
  if (result.ok) throw new Error("the server accepted the mail");
  return result.failure;
}

describe.concurrent("A failure says that the content was sent, so that the message may have arrived,", () => {
  it.each<[title: string, kind: string, script: ScriptAction[], timeouts?: { messageReplyMs: number }]>([
    ["if the connection closes before the reply", "closed", [...receivesMail, close]],
    ["if no reply arrives in time", "timeout", [...receivesMail, hang], { messageReplyMs: 100 }],
    ["if the reply is invalid", "protocol_error", [...receivesMail, { send: "rubbish\r\n" }, hang]],
    ["if the reply asks for more", "protocol_error", [...receivesMail, { send: "354 more\r\n" }, hang]],
  ])("%s", async (_, kind, script, timeouts = { messageReplyMs: 10_000 }) => {
    const failure = await failureAfter(script, { timeouts });
    expect(failure).toMatchObject({ kind, stage: "message", contentSent: true });
  });
});

describe.concurrent("A failure says that the content was not sent", () => {
  it.each<[title: string, stage: string, script: ScriptAction[]]>([
    ["after a negative reply to it", "message", [...receivesMail, { send: "554 5.6.0 no\r\n" }]],
    ["after a negative reply to DATA", "message", [...acceptsMail.slice(0, 4), ...replies("DATA", "554 no")]],
    ["if the connection closes at DATA", "message", [...acceptsMail.slice(0, 4), { expect: "DATA" }, close]],
    ["if the connection closes at MAIL", "sender", [{ expect: "MAIL" }, close]],
  ])("%s", async (_, stage, script) => {
    expect(await failureAfter(script)).toMatchObject({ stage, contentSent: false });
  });

  it("if it was that of another mail on the connection", async () => {
    const server = await scriptedServer([...authenticated(), ...acceptsMail, { expect: "MAIL" }, close]);
    const { session, message } = await openSession(server);
    expect(await session.send(message)).toMatchObject({ ok: true });
    expect(await session.send(message)).toMatchObject({ failure: { stage: "sender", contentSent: false } });
  });

  it("if the session has not opened", async () => {
    const { session } = newSession(await scriptedServer([close]));
    expect(await session.open()).toMatchObject({ failure: { contentSent: false, smtputf8: false } });
  });
});

describe.concurrent("A failure says whether MAIL carried SMTPUTF8", () => {
  it.each([
    ["MAIL", [...replies("MAIL", "553 5.6.7 no")]],
    ["RCPT", [...replies("MAIL", "250 ok"), ...replies("RCPT", "553 5.6.7 no")]],
    ["the message", [...receivesMail, { send: "554 5.6.9 no\r\n" }]],
  ])("at %s", async (_, script) => {
    const international = { mail: { to: "δοκιμή@example.org" } };
    expect(await failureAfter(script, international)).toMatchObject({ kind: "reply", smtputf8: true });
    expect(await failureAfter(script)).toMatchObject({ kind: "reply", smtputf8: false });
  });

  it("of this mail, and not of the one before", async () => {
    const server = await scriptedServer([
      ...authenticated("SMTPUTF8"),
      ...acceptsMail,
      ...replies("MAIL", "550 no"),
    ]);
    const { session, message } = await openSession(server);
    expect(await session.send({ ...message, headerNeedsSmtpUtf8: true })).toMatchObject({ ok: true });
    expect(await session.send(message)).toMatchObject({ failure: { kind: "reply", smtputf8: false } });
    session.close();
  });

  it("and it has not if the server does not offer the extension", async () => {
    const server = await scriptedServer([...authenticated(), hang]);
    const { session, message } = await openSession(server, { mail: { to: "δοκιμή@example.org" } });
    expect(await session.send(message)).toMatchObject({
      failure: { kind: "smtputf8_not_offered", smtputf8: false },
    });
    session.close();
  });
});
