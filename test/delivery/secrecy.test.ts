import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { open } from "../../src/storage/sealing.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

/** A message each part of which can be searched for. */
const secret = {
  to: "recipient-7f3a+tag@example.com",
  subject: "subject-7f3a",
  text: "text-7f3a, https://app.example.com/link-7f3a",
  html: "<p>html-7f3a</p>",
  replyTo: "reply-7f3a@example.com",
  headers: { "List-Unsubscribe": "<https://example.com/header-7f3a>" },
};

const PASSWORD = "correct horse";

async function storage(outbox: TestOutbox): Promise<string> {
  return JSON.stringify(await outbox.database.query("SELECT * FROM mail"));
}

/** Servers that end an attempt in each possible way. */
const outcomes: [string, object][] = [
  ["sent", {}],
  ["rejected for good", { rejectRecipients: { [secret.to]: `550 5.1.1 <${secret.to}> unknown` } }],
  ["refused in doubt", { rejectRecipients: { [secret.to]: `550 5.7.1 <${secret.to}> no, ${secret.to}` } }],
  ["rejected for now", { rejectRecipients: { [secret.to]: `450 4.2.0 <${secret.to}> later` } }],
  ["deferred with 421", { reject: { recipient: `421 4.7.0 ${secret.to} too many` } }],
  ["paused for its sender", { reject: { sender: `553 5.7.1 ${secret.to} Sender address rejected` } }],
  ["paused for its password", { password: "another" }],
  [
    "rejected with what it says",
    {
      reject: {
        message: `554 5.7.1 ${secret.subject} for recipient-7f3a@example.com: https://app.example.com/link-7f3a`,
      },
    },
  ],
  ["unknown", { loseReplies: 1 }],
  ["unsent, as the server is down", { isDown: true }],
];

describe("a message's recipient, headers and content", () => {
  it.each(outcomes)("appear neither in the log nor in a status nor in storage: %s", async (_, behavior) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change(behavior);
    const { result: id, lines } = await captureLog(async () => {
      const accepted = await outbox.submit(secret, "key");
      await outbox.runAlarm();
      return accepted;
    });
    const status = JSON.stringify(await outbox.status(id));
    expect(lines.length).toBeGreaterThan(0);
    expect(status).toContain(id);
    for (const text of [...lines, status, await storage(outbox)]) {
      expect(text).not.toContain("7f3a");
      expect(text).not.toContain(PASSWORD);
    }
  });

  it("open with the settings key alone", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit(secret);
    const [row] = await outbox.database.query<{ content: string }>("SELECT content FROM mail");
    const header = JSON.parse(atob(row?.content.split(".")[0] ?? ""));
    expect(header).toEqual({ alg: "A256KW", enc: "A256GCM", kid: "test-1" });
    const { tenant, config } = outbox;
    const { claims } = await open<object>(tenant, row?.content ?? "", config.settingsKeys);
    expect(claims).toMatchObject({ sub: tenant, mail: secret });
  });
});

describe("the log", () => {
  it("has one line per attempt", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "gone@example.com": "550 5.1.1 unknown" } });
    const { tenant } = outbox;
    const [sent, gone] = [await outbox.submit(), await outbox.submit({ to: "gone@example.com" })];
    const { lines } = await captureLog(() => outbox.runAlarm());
    const entries = lines.map((line) => JSON.parse(line)).sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(entries).toEqual([
      { message: "delivery", tenant, id: sent, attempt: 1, state: "sent", stage: "message", milliseconds: 0 },
      {
        message: "delivery",
        tenant,
        id: gone,
        attempt: 1,
        state: "failed",
        stage: "recipient",
        failure: "reply",
        smtpCode: 550,
        milliseconds: 0,
        scope: "message",
        cause: "message",
        subject: "recipient",
      },
    ]);
  });

  it("has one line per pause", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    const { tenant } = outbox;
    const { messages } = await outbox.submitAll([{}, {}, {}]);
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        message: "outbox paused",
        tenant,
        kind: "login",
        waitingFor: "settings",
        seconds: 3600,
        failures: 1,
        stage: "authentication",
        smtpCode: 535,
      },
      {
        message: "delivery",
        tenant,
        id: messages[0]?.id,
        attempt: 1,
        state: "queued",
        stage: "authentication",
        failure: "reply",
        smtpCode: 535,
        milliseconds: 0,
        scope: "session",
        cause: "settings",
        subject: "password",
      },
    ]);
  });

  it("has one line for the end of a pause", async () => {
    const server = await mailServer({ password: "another" });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    await server.change({});
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: "outbox resumed", tenant: outbox.tenant },
      { message: "delivery", id, state: "sent" },
    ]);
  });
});
