import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { cronTrigger } from "../support/rotation.ts";
import { mailServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** Loses the alarm, as has happened on Cloudflare. */
function loseAlarm(outbox: TestOutbox): Promise<void> {
  return runInDurableObject(outbox.stub, (_, { storage }) => storage.deleteAlarm());
}

/** Leaves the alarm in the past, where it never fires. */
function delayAlarm(outbox: TestOutbox, milliseconds: number): Promise<void> {
  return runInDurableObject(outbox.stub, async (_, { storage }) => {
    vi.spyOn(storage, "getAlarm").mockResolvedValueOnce(Date.now() - milliseconds);
  });
}

const requests: [string, (outbox: TestOutbox, id: string) => Promise<unknown>][] = [
  ["a read", ({ stub }, id) => stub.get(id)],
  ["a list", (outbox) => outbox.states()],
  ["another mail", (outbox) => outbox.submit()],
  ["a cancellation", async ({ stub }) => stub.cancel("01a20ec7-e1df-7000-9c3f-9f047315de87")],
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
    const set = await outbox.alarmAt();
    advanceClock(2 * MINUTE);
    await delayAlarm(outbox, MINUTE + 1);
    await request(outbox, id);
    expect(await outbox.alarmAt()).toBe((set ?? 0) + 2 * MINUTE);
  });

  it("stays unset if nothing waits and nothing is stored", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.stub.rearm();
    expect(await outbox.alarmAt()).toBeNull();
  });

  it("is not set for earlier than the end of a pause", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    await outbox.submit();
    await outbox.runAlarm();
    await loseAlarm(outbox);
    await outbox.stub.rearm();
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
    await outbox.stub.rearm();
    expect(set).not.toHaveBeenCalled();
  });
});

describe("an alarm that fails", () => {
  it.each<[string, (outbox: TestOutbox) => Promise<unknown>]>([
    [
      "KV",
      async () => vi.spyOn(env.SMTP_SETTINGS, "get").mockRejectedValueOnce(new Error("KV GET failed: 500")),
    ],
  ])("pauses the outbox, says so, and is followed by another: %s", async (_, fail) => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await fail(outbox);
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: "outbox failed", tenant: outbox.tenant, reason: expect.any(String) },
      { message: "outbox paused", tenant: outbox.tenant, waitingFor: "server", seconds: 30 },
    ]);
    expect(await outbox.alarmAt()).toBe(Date.now() + 30_000);
    expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 0, waitingFor: "server" });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
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
    expect(await outbox.query("SELECT name FROM sqlite_master WHERE name LIKE 'mail%'")).toEqual([]);
  });
});

describe("the cron trigger", () => {
  it("reaches all tenants in turn, within the operations that the rotation leaves", async () => {
    const { rearmOutboxes } = await import("../../src/delivery/client.ts");
    const server = await mailServer();
    const outboxes = [];
    for (let index = 0; index < 5; index++) outboxes.push(await newOutbox(server));
    for (const outbox of outboxes) {
      await outbox.submit();
      await loseAlarm(outbox);
    }
    const tenants = outboxes.map(({ tenant }) => tenant);
    const armed: number[] = [];
    for (let run = 0; run < 3; run++) {
      await rearmOutboxes(env, tenants, 2, new Date(run * 10 * MINUTE));
      const alarms = await Promise.all(outboxes.map((outbox) => outbox.alarmAt()));
      armed.push(alarms.filter((at) => at !== null).length);
    }
    expect(armed).toEqual([2, 4, 5]);
  });

  it("goes on after an outbox that fails, and names it", async () => {
    const { rearmOutboxes } = await import("../../src/delivery/client.ts");
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
      rearmOutboxes({ ...env, OUTBOX: broken as never }, ["broken", outbox.tenant], 900, new Date(0)),
    );
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "outbox not rearmed", tenant: "broken", reason: "unexpected error" },
    ]);
    expect(await outbox.alarmAt()).toBe(Date.now());
  });
});
