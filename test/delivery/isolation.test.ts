import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DELIVERY_TIMEOUTS } from "../../src/smtp/timeouts.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { newOutbox } from "../support/outbox.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);
afterEach(() => {
  vi.restoreAllMocks();
});

describe("an outbox", () => {
  it("does not wait for the dead server of another tenant", async () => {
    const [dead, healthy] = [await scriptedServer([]), await mailServer()];
    const [acme, globex] = [await newOutbox(dead), await newOutbox(healthy)];
    await acme.submit();
    const id = await globex.submit();
    const hanging = acme.runAlarm().catch(() => "aborted");
    await eventually(async () => expect((await dead.state()).openConnections).toBe(1));
    await globex.runAlarm();
    expect(await globex.status(id)).toMatchObject({ state: "sent" });
    expect((await dead.state()).openConnections).toBe(1);
    await abortAllDurableObjects();
    expect(await hanging).toBe("aborted");
  });

  it("waits 5 minutes for the reply to a message, and 30 s for others (RFC 5321 section 4.5.3.2.6)", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submit();
    const limits = vi.spyOn(globalThis, "setTimeout");
    await outbox.runAlarm();
    const waits = new Set(limits.mock.calls.map(([, milliseconds]) => milliseconds));
    expect(waits).toContain(5 * 60_000);
    expect(waits).toContain(30_000);
    expect(waits).toContain(DELIVERY_TIMEOUTS.totalMs);
  });

  it("leaves no timer and no connection that would keep it from hibernating", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submitAll([{}, {}, {}]);
    const [started, cleared] = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "clearTimeout")];
    await outbox.runAlarm();
    await eventually(async () => expect((await server.state()).openConnections).toBe(0));
    const limits = Object.values(DELIVERY_TIMEOUTS);
    const ours = started.mock.results.filter((_, index) => limits.includes(started.mock.calls[index]?.[1]));
    const ended = new Set(cleared.mock.calls.map(([timer]) => timer));
    expect(ours.length).toBeGreaterThan(10);
    expect(ours.filter(({ value }) => !ended.has(value))).toEqual([]);
  });
});
