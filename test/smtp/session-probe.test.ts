import { describe, expect, it } from "vitest";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, replies, secured } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import {
  diagnosisOf,
  expectClosed,
  openSession,
  type SessionChanges,
  stepsOf,
} from "../support/smtp/sessions.ts";

const close: ScriptAction = { close: true };
const milliseconds = expect.any(Number);
const anonymous = { user: undefined, password: undefined };
const resets = replies("RSET", "250 2.0.0 ok");

function probe(settings: SessionChanges["settings"] = {}): SessionChanges {
  return { mode: "probe", settings };
}

function rejectsSender(reply: string): ScriptAction[] {
  return [...authenticated(), ...replies("MAIL", reply)];
}

function rejectsRecipient(reply: string): ScriptAction[] {
  return [...authenticated(), ...replies("MAIL", "250 ok"), ...replies("RCPT", reply)];
}

describe.concurrent("SMTP probe", () => {
  it("sends MAIL, RCPT, RSET and QUIT, but no DATA", async () => {
    const server = await scriptedServer([
      ...authenticated("PIPELINING"),
      ...replies("MAIL", "250 ok"),
      ...replies("RCPT", "250 ok"),
      ...resets,
    ]);
    expect((await stepsOf(server, probe())).slice(3)).toEqual([
      { stage: "authentication", mechanism: "PLAIN", milliseconds },
      { stage: "sender", milliseconds },
      { stage: "recipient", milliseconds },
    ]);
    await expectClosed(server);
    expect((await server.state()).lines.slice(-4)).toEqual([
      "MAIL FROM:<sender@example.com>",
      "RCPT TO:<reader@example.org>",
      "RSET",
      "QUIT",
    ]);
  });

  it("sends no mail", async () => {
    const server = await mailServer();
    await stepsOf(server, probe());
    expect((await server.state()).messages).toEqual([]);
  });

  it("announces size and SMTPUTF8 like a mail", async () => {
    const server = await scriptedServer([
      ...authenticated("SIZE 100000", "SMTPUTF8"),
      ...replies("MAIL", "250 ok"),
      ...replies("RCPT", "250 ok"),
      ...resets,
    ]);
    await stepsOf(server, probe({ from: "jörg@example.com" }));
    expect((await server.state()).lines).toContainEqual(
      expect.stringMatching(/^MAIL FROM:<jörg@example\.com> SMTPUTF8 SIZE=\d{3}$/),
    );
  });

  it("leaves the session ready for a mail", async () => {
    const server = await mailServer();
    const { session, message } = await openSession(server);
    expect(await session.probe(message)).toMatchObject({ ok: true, steps: { length: 6 } });
    expect(await session.send(message)).toMatchObject({ ok: true, steps: { length: 7 } });
    session.close();
    expect((await server.state()).messages).toHaveLength(1);
  });

  it("resets its transaction before a mail, if it has failed", async () => {
    const server = await scriptedServer([
      ...rejectsRecipient("553 5.7.1 Sender address rejected"),
      ...resets,
      ...acceptsMail,
    ]);
    const { session, message } = await openSession(server);
    expect(await session.probe(message)).toMatchObject({ ok: false, failure: { stage: "recipient" } });
    expect(await session.send(message)).toMatchObject({ ok: true });
    session.close();
  });
});

describe.concurrent("SMTP probe that fails", () => {
  it.each<[title: string, stage: string, script: ScriptAction[], settings?: Record<string, unknown>]>([
    ["a sender at MAIL", "sender", rejectsSender("553 5.7.1 not owned by user ada")],
    ["a sender at MAIL in unknown words", "sender", rejectsSender("550 no")],
    ["a sender at RCPT, as Postfix does", "recipient", rejectsRecipient("553 5.7.1 Sender address rejected")],
    ["a sender for a while", "sender", rejectsSender("450 4.1.8 Sender address rejected: Domain not found")],
    ["a session that sends no user at MAIL", "sender", rejectsSender("530 5.7.0 Authentication required")],
    ["relaying", "recipient", rejectsRecipient("554 5.7.1 <reader@example.org>: Relay access denied")],
    ["relaying for a while", "recipient", rejectsRecipient("454 4.7.1 Relay access denied")],
    [
      "a recipient, as OpenSMTPD does where no user was sent",
      "recipient",
      [...secured(), ...replies("MAIL", "250 ok"), ...replies("RCPT", "550 Invalid recipient")],
      anonymous,
    ],
  ])("reports that the server rejects %s", async (_, stage, script, settings) => {
    const server = await scriptedServer([...script, { hang: true }]);
    expect(await diagnosisOf(server, probe(settings))).toMatchObject({ stage, smtpCode: expect.any(Number) });
    await expectClosed(server);
  });

  it.each([
    ["closes the connection", "closed the connection", [{ expect: "MAIL" }, close]],
    ["sends rubbish", "sent an invalid reply", [...replies("MAIL", "what?"), { hang: true as const }]],
  ])("reports that the server %s", async (_, message, script) => {
    const server = await scriptedServer([...authenticated(), ...script]);
    const diagnosis = await diagnosisOf(server, probe());
    expect(diagnosis).toMatchObject({ stage: "sender", message: expect.stringContaining(message) });
    expect(diagnosis).not.toHaveProperty("smtpCode");
  });

  it("reports that the server lacks SMTPUTF8", async () => {
    const server = await mailServer({ without: ["SMTPUTF8"] });
    expect(await diagnosisOf(server, probe({ from: "jörg@example.com" }))).toMatchObject({ stage: "sender" });
  });
});

describe.concurrent("SMTP probe that succeeds", () => {
  it.each([
    ["an unknown recipient", "550 5.1.1 User unknown"],
    ["a recipient with a full mailbox", "552 5.2.2 Mailbox full"],
    ["a recipient for a while (greylisting)", "450 4.2.0 Greylisted"],
    ["messages that come too fast", "450 4.7.1 Error: too many messages"],
    ["a recipient in unknown words", "550 no"],
    ["a recipient, as OpenSMTPD does for an unknown domain", "550 Invalid recipient"],
  ])("names the reply to %s in the step", async (_, reply) => {
    const server = await scriptedServer([...rejectsRecipient(reply), ...resets]);
    const steps = await stepsOf(server, probe());
    expect(steps.slice(4)).toEqual([
      { stage: "sender", milliseconds },
      { stage: "recipient", reply, milliseconds },
    ]);
    await expectClosed(server);
    expect((await server.state()).lines.slice(-2)).toEqual(["RSET", "QUIT"]);
  });

  it("names a temporary rejection of the sender, and sends no recipient", async () => {
    const server = await scriptedServer(rejectsSender("452 4.3.1 Insufficient system storage"));
    expect((await stepsOf(server, probe())).slice(4)).toEqual([
      { stage: "sender", reply: "452 4.3.1 Insufficient system storage", milliseconds },
    ]);
    await expectClosed(server);
    expect((await server.state()).lines.slice(-2)).toEqual(["MAIL FROM:<sender@example.com>", "QUIT"]);
  });

  it.each<[title: string, script: ScriptAction[]]>([
    ["rejects the recipient", [...rejectsRecipient("550 5.1.1 unknown"), close]],
    ["accepts the recipient", [...rejectsRecipient("250 ok"), close]],
    ["replies 421", [...rejectsRecipient("421 4.7.0 too many errors"), close]],
  ])("does so although the server %s and closes", async (_, script) => {
    const server = await scriptedServer(script);
    expect((await stepsOf(server, probe())).at(-1)).toMatchObject({ stage: "recipient" });
    await expectClosed(server);
  });
});

describe.concurrent("A mail", () => {
  it("fails where a probe names the reply", async () => {
    const server = await scriptedServer([...rejectsRecipient("550 5.1.1 User unknown"), ...acceptsMail]);
    expect(await diagnosisOf(server)).toMatchObject({ stage: "recipient", smtpCode: 550 });
  });
});
