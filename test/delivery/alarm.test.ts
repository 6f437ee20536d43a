import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { maintainOutboxes } from "../../src/delivery/outbox-client.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { cronTrigger } from "../support/rotation.ts";
import type { MailServerBehavior } from "../support/smtp/mail-server.ts";
import { mailServer } from "../support/smtp/servers.ts";
import { expectClosed } from "../support/smtp/sessions.ts";

const OUTAGE = "KV GET failed: 503 Service Unavailable";
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** Loses the alarm, as has happened on Cloudflare. */
function loseAlarm(outbox: TestOutbox): Promise<void> {
  return runInDurableObject(outbox.stub, (_, { storage }) => storage.deleteAlarm());
}

/** Shows the object an alarm that never fires. */
function showAlarm(outbox: TestOutbox, time: number): Promise<void> {
  return runInDurableObject(outbox.stub, (_, { storage }) => {
    vi.spyOn(storage, "getAlarm").mockResolvedValueOnce(time);
  });
}

const requests: [string, (outbox: TestOutbox, id: string) => Promise<unknown>][] = [
  ["a read", (outbox, id) => outbox.status(id)],
  ["a list", (outbox) => outbox.states()],
  ["another message", (outbox) => outbox.submit()],
  ["a cancellation", (outbox) => outbox.delete("01a20ec7-e1df-7000-9c3f-9f047315de87")],
  ["the cron trigger", () => cronTrigger({})],
];

describe("an alarm that is lost", () => {
  it.each(requests)("is set again by %s", async (_, request) => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit();
    await loseAlarm(outbox);
    expect(await outbox.alarmAt()).toBeNull();
    await request(outbox, id);
    expect(await outbox.alarmAt()).toBe(Date.now());
  });

  it.each(requests)("is set again by %s if it is overdue by a minute", async (_, request) => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit();
    const set = (await outbox.alarmAt()) ?? 0;
    advanceClock(MINUTE + 1);
    await showAlarm(outbox, set);
    await request(outbox, id);
    expect(await outbox.alarmAt()).toBe(set + MINUTE + 1);
  });

  it("is left to Cloudflare for a minute", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    const set = (await outbox.alarmAt()) ?? 0;
    advanceClock(MINUTE);
    await showAlarm(outbox, set);
    await outbox.stub.ensureAlarm();
    expect(await outbox.alarmAt()).toBe(set);
  });

  it("stays unset if nothing waits and nothing is stored", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.stub.ensureAlarm();
    expect(await outbox.alarmAt()).toBeNull();
  });

  it("is not set for earlier than the end of a pause", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    await outbox.submit();
    await outbox.runAlarm();
    await loseAlarm(outbox);
    await outbox.stub.ensureAlarm();
    expect(await outbox.alarmAt()).toBe(Date.now() + 30_000);
  });

  it("is not moved by requests if it is in time", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit();
    const set = vi.fn();
    await runInDurableObject(outbox.stub, (_, { storage }) => {
      vi.spyOn(storage, "setAlarm").mockImplementation(set);
    });
    await outbox.status(id);
    await outbox.submit();
    await outbox.stub.ensureAlarm();
    expect(set).not.toHaveBeenCalled();
  });
});

describe("an alarm that fails", () => {
  it.each<[string, string, Partial<Env>, string]>([
    ["KV is unavailable", "server", { SMTP_SETTINGS: faultyKv("get", OUTAGE, 1).kv }, OUTAGE],
    ["the configuration is invalid", "server", { SETTINGS_KEYS: "" }, "SETTINGS_KEYS must be JSON"],
  ])(
    "pauses the outbox, says so, and is followed by another: %s",
    async (_, waitingFor, bindings, reason) => {
      const outbox = await newOutbox(await mailServer());
      const id = await outbox.submit();
      await outbox.replaceBindings(bindings);
      const { lines } = await captureLog(() => outbox.runAlarm());
      const { tenant } = outbox;
      expect(lines.map((line) => JSON.parse(line))).toEqual([
        { message: "outbox failed", tenant, reason },
        { message: "outbox paused", tenant, kind: "delivery", waitingFor, seconds: 30, failures: 1 },
      ]);
      expect(await outbox.alarmAt()).toBe(Date.now() + 30_000);
      expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 0, waitingFor });
      await outbox.evict();
      await outbox.runAlarm();
      expect(await outbox.status(id)).toMatchObject({ state: "sent" });
    },
  );

  it.each<[string, RegExp]>([
    ["the mark before a message", /^UPDATE mail SET state = 'sending'/],
    ["every change of a message", /^UPDATE mail/],
  ])("to write %s sends nothing, and loses nothing", async (_, failing) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submitAll([{}, {}, {}]);
    await runInDurableObject(outbox.stub, (_, { storage: { sql } }) => {
      const exec = sql.exec.bind(sql);
      vi.spyOn(sql, "exec").mockImplementation((statement: string, ...values: unknown[]) => {
        if (failing.test(statement)) throw new Error("disk I/O error");
        return exec(statement, ...values);
      });
    });
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join()).not.toContain("disk");
    expect(await outbox.states()).toEqual(["queued", "queued", "queued"]);
    expect((await server.state()).messages).toEqual([]);
    await expectClosed(server);
    expect(await outbox.alarmAt()).toBeGreaterThan(Date.now());
    await outbox.evict();
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["sent", "sent", "sent"]);
  });
});

describe("alarms", () => {
  it("do not follow each other at once while nothing changes", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ rejectRecipients: { "grey@example.com": "450 4.2.0 Greylisted" } });
    await outbox.submitAll([{}, { to: "grey@example.com" }], "key");
    let alarms = 0;
    const start = Date.now();
    while ((await outbox.alarmAt()) !== null && alarms < 100) {
      const at = await outbox.alarmAt();
      await outbox.runAlarm();
      expect((await outbox.alarmAt()) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(at ?? 0);
      alarms++;
    }
    // The schedule of a day, then purges until nothing is left.
    expect(alarms).toBeLessThan(50);
    expect(Date.now()).toBeLessThan(start + 9 * DAY);
    expect(await outbox.database.query("SELECT id FROM mail")).toEqual([]);
  });

  it.each<[string, MailServerBehavior]>([
    ["that is down", { isDown: true }],
    ["that rejects the password", { password: "another" }],
    ["with too many logins", { reject: { authentication: "454 4.7.0 Too many login attempts" } }],
    ["that refuses the sender", { reject: { sender: "550 5.7.1 not yours" } }],
    ["that refuses every recipient", { reject: { recipient: "550 5.7.1 Service unavailable" } }],
    ["that defers everything", { reject: { sender: "451 4.3.0 later" } }],
    ["that replies to no message", { loseReplies: 999 }],
  ])("do not follow each other at once during a pause, whatever waits: a server %s", async (_, behavior) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ loseReplies: 1 });
    await outbox.submit();
    await outbox.runAlarm();
    await server.change(behavior);
    await outbox.submitAll([{}, {}, {}, { expiresIn: 3_600 }, { expiresIn: 60 }]);
    await outbox.runAlarm();
    const times: number[] = [];
    for (let at = await outbox.alarmAt(); at !== null && times.length < 40; at = await outbox.alarmAt()) {
      times.push(at);
      await outbox.runAlarm();
    }
    expect(times.length).toBeGreaterThan(10);
    expect(new Set(times).size).toBe(times.length);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
  });
});

describe("the cron trigger", () => {
  const taskOf = (tenant: string) => ({ tenant, hasSettings: true, listed: undefined });

  it("reaches all tenants in turn, within the operations that the rotation leaves", async () => {
    const server = await mailServer();
    const outboxes = [];
    for (let index = 0; index < 5; index++) outboxes.push(await newOutbox(server));
    for (const outbox of outboxes) {
      await outbox.submit();
      await loseAlarm(outbox);
    }
    const tasks = outboxes.map(({ tenant }) => taskOf(tenant));
    const armed: number[] = [];
    for (let run = 0; run < 3; run++) {
      await maintainOutboxes(env, tasks, 2, new Date(run * 10 * MINUTE));
      const alarms = await Promise.all(outboxes.map((outbox) => outbox.alarmAt()));
      armed.push(alarms.filter((at) => at !== null).length);
    }
    expect(armed).toEqual([2, 4, 5]);
  });

  it("reaches an outbox whose tenant has no settings any more", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    await outbox.save(undefined);
    await loseAlarm(outbox);
    await cronTrigger({});
    expect(await outbox.alarmAt()).toBe(Date.now());
  });

  it("goes on after an outbox that fails, and names it", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.submit();
    await loseAlarm(outbox);
    const broken = {
      getByName: (name: string) => {
        if (name === "broken") throw new Error("broken");
        return env.OUTBOX.getByName(name);
      },
    };
    const { lines } = await captureLog(() =>
      maintainOutboxes(
        { ...env, OUTBOX: broken as never },
        ["broken", outbox.tenant].map(taskOf),
        900,
        new Date(0),
      ),
    );
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "outbox not maintained", tenant: "broken", reason: "unexpected error" },
    ]);
    expect(await outbox.alarmAt()).toBe(Date.now());
  });
});
