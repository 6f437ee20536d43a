import PostalMime from "postal-mime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { newOutbox } from "../support/outbox.ts";
import { acceptsMail, authenticated, replies, secured } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { expectClosed, receivedMail } from "../support/smtp/sessions.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ subject: `Message ${index}` }));

describe("a message", () => {
  it("comes from the sender of the settings, with its own headers and ours", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server, {
      fromDisplayName: "Acme",
      envelopeFrom: "bounce@example.com",
      replyTo: "office@example.com",
    });
    const id = await outbox.submit({
      html: "<p>123456</p>",
      replyTo: "support@example.com",
      headers: {
        "List-Unsubscribe": "<https://example.com/u>",
        References: "<0@example.com> <1@example.com>",
      },
    });
    await outbox.runAlarm();
    const mail = await receivedMail(server);
    expect(mail).toMatchObject({
      mailFrom: "bounce@example.com",
      rcptTo: ["ada@example.com"],
      user: "postmaster",
    });
    for (const line of [
      "From: Acme <sender@example.com>",
      "To: ada@example.com",
      "Subject: Your code",
      "Reply-To: support@example.com",
      "List-Unsubscribe: <https://example.com/u>",
      "References: <0@example.com> <1@example.com>",
      "Auto-Submitted: auto-generated",
      "X-Auto-Response-Suppress: OOF, AutoReply",
      `Message-ID: <${id}@example.com>`,
    ]) {
      expect(mail.raw.split("\r\n")).toContain(line);
    }
    expect(mail.raw).toMatch(/\r\nDate: /);
    expect(mail.raw).toContain("123456\r\n");
    expect(mail.raw).toContain("<p>123456</p>");
    expect(await outbox.status(id)).toEqual({
      id,
      state: "sent",
      attempts: 1,
      messageId: `<${id}@example.com>`,
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
    });
  });

  it("may have the largest size of a request", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit({ text: `${"é".repeat(500_000)}` });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
    expect((await receivedMail(server)).raw.length).toBeGreaterThan(1_000_000);
  });

  it("goes out by itself, in real time", async () => {
    restoreClock();
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await eventually(async () => expect(await outbox.status(id)).toMatchObject({ state: "sent" }));
    expect((await server.state()).messages).toHaveLength(1);
  });
});

describe("a connection", () => {
  it("carries many messages, and ends with QUIT", async () => {
    const accepts = [
      ...replies("MAIL", "250 2.1.0 ok"),
      ...replies("RCPT", "250 2.1.5 ok"),
      ...replies("DATA", "354 go ahead"),
      ...replies(".", "250 2.0.0 queued"),
    ];
    const server = await scriptedServer([...authenticated(), ...accepts, ...accepts, ...accepts]);
    const outbox = await newOutbox(server);
    await outbox.submitAll(numbered(1));
    await outbox.runAlarm();
    await eventually(async () => expect((await server.state()).lines.at(-1)).toBe("QUIT"));
    expect((await server.state()).connections).toBe(1);
  });

  it("is one of at most two, and none is left at the end", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ replyDelayMs: 20 });
    await outbox.submitAll(numbered(20));
    await outbox.runAlarm();
    expect(new Set(await outbox.states())).toEqual(new Set(["sent"]));
    const { messages: received, connections } = await server.state();
    expect(received).toHaveLength(20);
    expect(connections).toBe(2);
    await expectClosed(server);
  });

  it("carries at most 100 messages, and an alarm starts at most 200", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submitAll(numbered(100));
    await outbox.submitAll(numbered(100));
    await outbox.submitAll(numbered(5));
    await outbox.runAlarm();
    const { messages: received } = await server.state();
    expect(received).toHaveLength(200);
    const connections = Map.groupBy(received, ({ connection }) => connection).values();
    expect(Math.max(...Array.from(connections, ({ length }) => length))).toBeLessThanOrEqual(100);
    expect(await outbox.alarmAt()).toBe(Date.now());
    await outbox.runAlarm();
    expect((await server.state()).messages).toHaveLength(205);
  });

  it("is not opened twice for a password that does not work", async () => {
    const rejects = [{ expect: "AUTH" }, { wait: true }, { send: "535 5.7.8 no\r\n" }] as const;
    const server = await scriptedServer([...secured("AUTH PLAIN"), ...rejects]);
    const outbox = await newOutbox(server);
    await outbox.submitAll(numbered(5));
    const alarm = outbox.runAlarm();
    await eventually(async () => expect((await server.state()).lines.join()).toContain("AUTH PLAIN"));
    await outbox.submit();
    await server.release();
    await alarm;
    expect((await server.state()).connections).toBe(1);
  });

  it.each(["421", "close"] as const)(
    "that the server ends between messages (%s) is replaced at once",
    async (how) => {
      const server = await mailServer();
      const outbox = await newOutbox(server);
      await server.change({ endAfter: { messages: 2, how } });
      const { messages } = await outbox.submitAll(numbered(7));
      await outbox.runAlarm();
      expect(new Set(await outbox.states())).toEqual(new Set(["sent"]));
      const { messages: received, connections } = await server.state();
      expect(received).toHaveLength(messages.length);
      expect(connections).toBeGreaterThanOrEqual(4);
    },
  );

  it("that waits for a reply does not delay a message accepted meanwhile", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ holdsReplies: ["slow@example.com"] });
    const slow = await outbox.submit({ to: "slow@example.com" });
    const alarm = outbox.runAlarm();
    await eventually(async () => expect(await outbox.status(slow)).toMatchObject({ attempts: 1 }));
    const fast = await outbox.submit();
    await eventually(async () => expect(await outbox.status(fast)).toMatchObject({ state: "sent" }));
    expect(await outbox.status(slow)).toMatchObject({ state: "sending" });
    await server.change({});
    await alarm;
    expect(await outbox.states()).toEqual(["sent", "sent"]);
  });
});

describe("an alarm", () => {
  it("starts no message after 8 minutes, and is followed by another at once", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ holdsReplies: true });
    const [first] = (await outbox.submitAll(numbered(6))).messages;
    const alarm = outbox.runAlarm();
    await eventually(async () => expect(await outbox.status(first?.id ?? "")).toMatchObject({ attempts: 1 }));
    advanceClock(8 * 60_000 + 1);
    await server.change({});
    await alarm;
    const sent = (await server.state()).messages.length;
    expect(sent).toBeLessThanOrEqual(2);
    expect(await outbox.alarmAt()).toBe(Date.now());
    await server.change({});
    await outbox.runAlarm();
    expect((await server.state()).messages).toHaveLength(6);
  });

  it.each([
    ["look like encoded words", "=?utf-8?Q?=E2=80=AEx?="],
    ["have joiners", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 👨\u200d👩\u200d👧"],
    ["have many spaces", `Hello${" ".repeat(160)}Content-Type: text/html`],
  ])("sends a subject and a name that %s as they were typed", async (_, typed) => {
    const server = await mailServer();
    const outbox = await newOutbox(server, { fromDisplayName: typed });
    await outbox.submit({ subject: typed });
    await outbox.runAlarm();
    const { subject, from } = await PostalMime.parse((await receivedMail(server)).raw);
    expect([subject, from?.name]).toEqual([typed, typed]);
  });

  it("sends no line of more than 998 octets, and no bare CR or LF", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server, { fromDisplayName: "x".repeat(200) });
    const long = "x".repeat(2_000);
    await outbox.submit({ subject: "x".repeat(997), text: `a\rb\nc ${long}`, html: `<p>\r\r\n${long}</p>` });
    await outbox.runAlarm();
    const lines = (await receivedMail(server)).raw.split("\r\n");
    expect(lines).toContain(` ${"x".repeat(997)}`);
    expect(lines.filter((line) => line.length > 998 || /[\r\n]/.test(line))).toEqual([]);
  });

  it("writes a quoted local part in the commands and in the message as it is", async () => {
    const [from, to] = ['"c..d"@example.com', '"a..b"@example.com'];
    // Unlike the other server, it takes any address.
    const server = await scriptedServer([...authenticated(), ...acceptsMail]);
    const outbox = await newOutbox(server, { from, replyTo: from });
    const id = await outbox.submit({ to });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
    const { lines } = await server.state();
    for (const line of [
      `MAIL FROM:<${from}>`,
      `RCPT TO:<${to}>`,
      `From: <${from}>`,
      `To: <${to}>`,
      `Reply-To: <${from}>`,
    ]) {
      expect(lines).toContain(line);
    }
  });

  it("opens no connection if nothing is due", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.delete(id);
    await outbox.runAlarm();
    expect((await server.state()).connections).toBe(0);
  });
});
