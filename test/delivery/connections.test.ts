import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { localSettings } from "../support/local-settings.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import type { MailServerBehavior } from "../support/smtp/mail-server.ts";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, replies } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

const acceptsSender = replies("MAIL", "250 2.1.0 ok");
const acceptsRecipient = replies("RCPT", "250 2.1.5 ok");
const acceptsData = replies("DATA", "354 go ahead");

/** Expects that all messages were sent by one attempt each, and that nothing paused. */
async function expectAllSentAtOnce(outbox: TestOutbox, ids: readonly string[]): Promise<void> {
  for (const id of ids) expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
  expect(await outbox.database.keys()).toEqual(["evidence", "kids", "migrations", "provenLogins"]);
  expect(await outbox.alarmAt()).toBeGreaterThan(Date.now() + DAY);
}

describe("a connection that has carried a message", () => {
  it.each<[string, ScriptAction[]]>([
    ["a limit of messages", replies("MAIL", "452 4.4.5 Maximum number of messages per session exceeded")],
    ["a limit without words", replies("MAIL", "451 4.3.0 later")],
    ["a refusal of MAIL", replies("MAIL", "550 5.7.1 not yours")],
    ["421 to RCPT", [...acceptsSender, ...replies("RCPT", "421 4.7.0 try another connection")]],
    [
      "a limit of messages at RCPT",
      [...acceptsSender, ...replies("RCPT", "452 4.5.3 too many recipients in this session")],
    ],
    ["a close at RCPT", [...acceptsSender, { expect: "RCPT" }, { close: true }]],
    ["a 4xx reply to DATA", [...acceptsSender, ...acceptsRecipient, ...replies("DATA", "451 4.3.0 no more")]],
    [
      "421 to the content",
      [...acceptsSender, ...acceptsRecipient, ...acceptsData, ...replies(".", "421 4.3.2 closing")],
    ],
  ])(
    "is given up, and its message sent again at once over another, without an attempt: %s",
    async (_, end) => {
      const server = await scriptedServer([...authenticated(), ...acceptsMail, ...end]);
      const outbox = await newOutbox(server);
      const { messages } = await outbox.submitAll(Array(5).fill({}));
      await outbox.runAlarm();
      await expectAllSentAtOnce(
        outbox,
        messages.map(({ id }) => id),
      );
      expect((await server.state()).connections).toBe(messages.length);
    },
  );

  it("is not replaced over settings that have changed meanwhile", async () => {
    const [previous, current] = [
      await scriptedServer([
        ...authenticated(),
        ...acceptsMail,
        ...acceptsSender,
        { expect: "RCPT" },
        { wait: true },
        { send: "421 4.7.0 try another connection\r\n" },
      ]),
      await mailServer(),
    ];
    const outbox = await newOutbox(previous);
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    const alarm = outbox.runAlarm();
    const recipients = async () =>
      (await previous.state()).lines.filter((line) => line.startsWith("RCPT")).length;
    await eventually(async () => expect(await recipients()).toBe(messages.length));
    await outbox.notify(localSettings(current.port));
    await previous.release();
    await alarm;
    expect((await previous.state()).connections).toBe(2);
    expect(await outbox.alarmAt()).toBe(Date.now());
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "sent", "sent"]);
    expect((await current.state()).messages).toHaveLength(1);
  });
});

describe("the first message of a connection", () => {
  it.each<[string, MailServerBehavior]>([
    ["421 to RCPT", { rejectRecipients: { "poison@example.com": "421 4.3.0 crashed" } }],
    ["a limit of messages", { rejectRecipients: { "poison@example.com": "452 4.4.5 too many messages" } }],
  ])("waits alone, on its own schedule, and the others go out: %s", async (_, behavior) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change(behavior);
    const poison = await outbox.submit({ to: "poison@example.com" });
    await outbox.submitAll(Array(4).fill({}));
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["queued", "sent", "sent", "sent", "sent"]);
    const status = await outbox.status(poison);
    expect(status).toMatchObject({
      attempts: 1,
      nextAttemptAt: isoIn(MINUTE),
      failure: { stage: "recipient" },
    });
    expect(status).not.toHaveProperty("waitingFor");
    expect(await outbox.alarmAt()).toBe(Date.now() + MINUTE);
  });

  it("waits alone if its MAIL is deferred", async () => {
    const server = await mailServer({ reject: { sender: "452 4.4.5 too many messages in this session" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ attempts: 1, nextAttemptAt: isoIn(MINUTE) });
    expect(await outbox.database.keys()).not.toContain("pause");
    expect((await server.state()).connections).toBe(1);
  });
});

describe("a second connection that fails", () => {
  it.each<[string, MailServerBehavior]>([
    ["421 in place of a greeting", { maxConnections: 1 }],
    ["535 to its login", { rejectBeside: { authentication: "535 5.7.8 Authentication failed" } }],
    [
      "432 to its login",
      { rejectBeside: { authentication: "432 4.3.2 Concurrent connections limit exceeded" } },
    ],
    ["a refusal of its first MAIL", { rejectBeside: { sender: "550 5.7.1 not yours" } }],
    ["a deferral of its first MAIL", { rejectBeside: { sender: "432 4.3.2 Concurrent connections limit" } }],
  ])("leaves everything to the first one, and pauses nothing: %s", async (_, behavior) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ ...behavior, holdsReplies: true });
    const submitted = await outbox.submitAll(Array(6).fill({}));
    const alarm = outbox.runAlarm();
    await eventually(async () =>
      expect(await server.state()).toMatchObject({ connections: 2, openConnections: 1 }),
    );
    await server.change(behavior);
    await alarm;
    await expectAllSentAtOnce(
      outbox,
      submitted.messages.map(({ id }) => id),
    );
    const { connections, messages } = await server.state();
    expect(messages).toHaveLength(submitted.messages.length);
    expect(connections).toBe(2);
  });
});
