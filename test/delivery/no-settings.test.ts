import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(HOUR));
afterEach(restoreClock);

describe("settings", () => {
  it("may be absent: messages wait for the next ones, or expire", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    const brief = await outbox.submit({ expiresIn: 60 });
    await outbox.save(undefined);
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({
      state: "queued",
      waitingFor: "settings",
      attempts: 0,
      nextAttemptAt: isoIn(HOUR),
    });
    advanceClock(30 * MINUTE);
    expect(await outbox.status(brief)).toMatchObject({ state: "expired" });
    expect((await server.state()).connections).toBe(0);
    await outbox.save(localSettings(server.port));
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
  });

  it("are found within an hour although no save was handed over", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.store(undefined);
    await outbox.runAlarm();
    await outbox.store(localSettings(server.port));
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
    expect(await outbox.database.keys()).not.toContain("pause");
  });

  it("may be unreadable: messages wait, and the log says so", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const { tenant } = outbox;
    const id = await outbox.submit();
    await outbox.storeRaw("not a JWE");
    const { lines } = await captureLog(() => outbox.runAlarm());
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "settings unreadable", tenant, reason: expect.any(String) },
      {
        message: "outbox paused",
        tenant,
        kind: "settings",
        waitingFor: "settings",
        seconds: 3600,
        failures: 1,
      },
    ]);
    expect(await outbox.status(id)).toMatchObject({ state: "queued", waitingFor: "settings" });
  });
});
