import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

function isoIn(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}

describe("a mail that the server rejects for good", () => {
  it("fails with the diagnosis, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({
      rejectRecipients: { "gone@example.com": "550 5.1.1 <gone@example.com> is unknown" },
    });
    const gone = await outbox.submit({ to: "gone@example.com" });
    await outbox.submitAll([{}, {}, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["failed", "sent", "sent", "sent"]);
    expect(await outbox.status(gone)).toEqual({
      ...{ id: gone, state: "failed", attempts: 1, createdAt: isoIn(0), expiresAt: isoIn(24 * 60 * MINUTE) },
      failure: {
        ...{ message: "The SMTP server rejected the recipient.", stage: "recipient" },
        ...{
          smtpCode: 550,
          enhancedCode: "5.1.1",
          reply: "<[recipient]> is unknown",
          hint: expect.any(String),
        },
      },
    });
    expect((await server.state()).connections).toBeLessThanOrEqual(2);
  });

  it("may be rejected with its content", async () => {
    const server = await mailServer({ reject: { message: "554 5.6.0 content rejected" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      ...{ state: "failed", attempts: 1, messageId: `<${id}@example.com>` },
      failure: { stage: "message", smtpCode: 554 },
    });
  });

  it("may need SMTPUTF8 of a server that lacks it", async () => {
    const server = await mailServer({ without: ["SMTPUTF8"] });
    const outbox = await newOutbox(server);
    await outbox.submitAll([{ to: "жук@example.com" }, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["failed", "sent"]);
  });
});

describe("a mail that the server rejects for now", () => {
  it("is retried on its own schedule, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    const grey = await outbox.submit({ to: "grey@example.com" });
    await outbox.submitAll([{}, {}]);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 7; attempt++) {
      await outbox.runAlarm();
      expect(await outbox.status(grey)).toMatchObject({
        ...{ state: "queued", attempts: attempt, failure: { smtpCode: 450 } },
      });
      expect(await outbox.status(grey)).not.toHaveProperty("waitingFor");
      waits.push(((await outbox.alarmAt()) ?? 0) - Date.now());
    }
    expect(waits).toEqual([1, 5, 15, 30, 60, 120, 240].map((minutes) => minutes * MINUTE));
    expect(await outbox.states()).toEqual(["queued", "sent", "sent"]);
    await server.change({});
    await outbox.runAlarm();
    expect(await outbox.status(grey)).toMatchObject({ state: "sent", attempts: 8 });
    expect((await server.state()).mails).toHaveLength(3);
  });

  it("shows that the server is back after a pause", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const { messages } = await outbox.submitAll([{ to: "grey@example.com" }, {}]);
    await outbox.runAlarm();
    await outbox.stub.cancel(messages[1]?.id ?? "");
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    await outbox.runAlarm();
    const status = await outbox.status(messages[0]?.id ?? "");
    expect(status).toMatchObject({ attempts: 1, failure: { smtpCode: 450 } });
    expect(status).not.toHaveProperty("waitingFor");
  });

  it("expires in place of an attempt that would come later", async () => {
    const server = await mailServer({ reject: { recipient: "450 4.2.0 Greylisted" } });
    const outbox = await newOutbox(server);
    const id = await outbox.submit({ expiresIn: 180 });
    await outbox.runAlarm();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ nextAttemptAt: isoIn(2 * MINUTE), attempts: 2 });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "expired",
      attempts: 2,
      failure: { smtpCode: 450 },
    });
    expect((await server.state()).connections).toBe(2);
  });
});

describe("a mail whose outcome is unknown", () => {
  it("is sent again with the same Message-ID, and blocks no other", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.submitAll([{}, {}]);
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["queued", "sent", "sent"]);
    expect(await outbox.status(id)).toMatchObject({
      ...{ attempts: 1, nextAttemptAt: isoIn(MINUTE), messageId: `<${id}@example.com>` },
      failure: { stage: "message", message: expect.stringMatching(/closed the connection/) },
    });
    expect(await outbox.status(id)).not.toHaveProperty("waitingFor");
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 2 });
    const copies = (await server.state()).mails.filter(({ raw }) =>
      raw.includes(`Message-ID: <${id}@example.com>`),
    );
    expect(copies).toHaveLength(2);
  });

  it("fails after two retries, and says that it may have arrived", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 9 });
    const id = await outbox.submit();
    for (let attempt = 1; attempt <= 3; attempt++) await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      ...{ state: "failed", attempts: 3 },
      failure: { message: expect.stringMatching(/ The mail may have arrived\.$/) },
    });
    expect((await server.state()).mails).toHaveLength(3);
  });

  it("keeps its Message-ID when the sender's domain changes", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    const id = await outbox.submit();
    await outbox.runAlarm();
    await outbox.store(localSettings(server.port, { from: "sender@example.org" }));
    await outbox.runAlarm();
    const { mails } = await server.state();
    expect(mails.map(({ mailFrom }) => mailFrom)).toEqual(["sender@example.com", "sender@example.org"]);
    for (const { raw } of mails) expect(raw).toContain(`Message-ID: <${id}@example.com>`);
  });
});

describe("a mail that we cannot send", () => {
  it("is retried if its content does not open, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const { messages } = await outbox.submitAll([{}, {}]);
    const [broken, other] = messages.map(({ id }) => id);
    await runInDurableObject(outbox.stub, (_, { storage }) => {
      storage.sql.exec("UPDATE mail SET content = 'broken' WHERE id = ?", broken ?? "");
    });
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      ...{ message: "delivery", tenant: outbox.tenant, id: broken, attempt: 1, state: "queued" },
      ...{ reason: expect.any(String), milliseconds: 0 },
    });
    expect(await outbox.status(broken ?? "")).toMatchObject({
      ...{ state: "queued", attempts: 1, nextAttemptAt: isoIn(MINUTE) },
      failure: { message: "The stored mail does not open." },
    });
    expect(await outbox.status(other ?? "")).toMatchObject({ state: "sent" });
  });

  it("is retried if composing it fails, and the others go out", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const { messages } = await outbox.submitAll([{}, {}]);
    const [broken, other] = messages.map(({ id }) => id);
    await outbox.replaceContent(broken ?? "", { mail: { to: 5 } });
    await outbox.runAlarm();
    expect(await outbox.status(broken ?? "")).toMatchObject({
      ...{ state: "queued", attempts: 1, nextAttemptAt: isoIn(MINUTE) },
      failure: { message: "An unexpected error ended the attempt." },
    });
    expect(await outbox.status(other ?? "")).toMatchObject({ state: "sent" });
  });

  it("does not take the content of another tenant's mail", async () => {
    const server = await mailServer();
    const [outbox, other] = [await newOutbox(server), await newOutbox(server)];
    const [id, stolen] = [await outbox.submit(), await other.submit({ to: "secret@example.com" })];
    const [row] = await other.query<{ content: string }>(`SELECT content FROM mail WHERE id = '${stolen}'`);
    await runInDurableObject(outbox.stub, (_, { storage }) => {
      storage.sql.exec("UPDATE mail SET content = ?", row?.content ?? "");
    });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      ...{ state: "queued", failure: { message: "The stored mail does not open." } },
    });
    expect((await server.state()).mails).toEqual([]);
  });
});
