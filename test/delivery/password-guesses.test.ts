import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TOO_MANY_LOGINS } from "../../src/delivery/report.ts";
import { call } from "../support/client.ts";
import { advanceClock, isoIn, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { jsonResponse, readJson } from "../support/responses.ts";
import { newSender } from "../support/sender.ts";
import { mailServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** Guesses passwords as somebody with a stolen administrator's and sender's token could: save, send, cancel, repeat. */
async function guess(outbox: TestOutbox, port: number, guesses: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < guesses; index++) {
    await outbox.notify(localSettings(port, { password: `guess ${index}` }), Date.now() + index);
    ids.push(await outbox.submit());
    await outbox.runAlarmNow();
    if (index < guesses - 1) await outbox.delete(ids.at(-1) ?? "");
  }
  return ids;
}

describe("guesses of a password", () => {
  it("are 10 a minute, however settings are saved, and messages sent and canceled", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const ids = await guess(outbox, server.port, 14);
    expect((await server.state()).connections).toBe(10);
    expect(await outbox.status(ids.at(-1) ?? "")).toMatchObject({
      state: "queued",
      attempts: 0,
      waitingFor: "settings",
      nextAttemptAt: isoIn(MINUTE),
      failure: TOO_MANY_LOGINS,
    });
    await outbox.runAlarm();
    expect((await server.state()).connections).toBe(11);
  });

  it("do not hold up settings that have logged in before", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await outbox.submit();
    await outbox.runAlarm();
    const ids = await guess(outbox, server.port, 12);
    await outbox.notify(localSettings(server.port), Date.now() + 100);
    await outbox.runAlarmNow();
    expect(await outbox.status(ids.at(-1) ?? "")).toMatchObject({ state: "sent" });
  });

  it("do not count while the server cannot be reached, so that its fault is the reason of the wait", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await server.change({ isDown: true });
    const id = await outbox.submit({ expiresIn: 3_600 });
    for (let alarm = 0; alarm < 30; alarm++) await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ waitingFor: "server", failure: { stage: "connect" } });
    expect(await outbox.database.value("logins")).toBeUndefined();
  });

  it("still count after a restart of the outbox", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    await guess(outbox, server.port, 10);
    await outbox.evict();
    await outbox.notify(localSettings(server.port, { password: "next" }), Date.now() + 100);
    await outbox.runAlarm();
    expect((await server.state()).connections).toBe(10);
  });
});

describe.each(families)("the limit of guesses ($family)", (family) => {
  const limited = jsonResponse(
    429,
    "TOO_MANY_REQUESTS",
    "Too many logins were tried with settings that have never logged in. Check user and password, and try again later.",
  );

  /** A tenant that has used up its limit, and an administrator of it. */
  async function limitedTenant() {
    const server = await mailServer();
    const sender = await newSender(family, server);
    const { outbox, tenant, adminToken: token } = sender;
    const ids = await guess(outbox, server.port, 11);
    const [settingsUrl, testUrl] = [family.address(tenant), family.testAddress(tenant)];
    const password = { guessed: "another guess", right: undefined };
    const settings = (which: keyof typeof password) =>
      localSettings(server.port, password[which] === undefined ? {} : { password: password[which] });
    return {
      server,
      outbox,
      id: ids.at(-1) ?? "",
      settings,
      test: (sent: object) => call(testUrl, { token, body: { mode: "probe", settings: sent } }),
      save: (sent: object, query = "") => call(`${settingsUrl}${query}`, { token, body: sent }),
    };
  }

  it("holds for a test and a save with verify=true, which contact no server beyond it", async () => {
    const { server, settings, test, save } = await limitedTenant();
    for (const response of [
      await test(settings("guessed")),
      await save(settings("guessed"), "?verify=true"),
    ]) {
      expect(response.headers.get("Retry-After")).toBe("60");
      expect(await readJson(response)).toEqual(limited);
    }
    expect((await server.state()).connections).toBe(10);
  });

  it("counts a test that the server rejects", async () => {
    const { server, settings, test } = await limitedTenant();
    advanceClock(MINUTE);
    const statuses: number[] = [];
    for (let index = 0; index < 9; index++) statuses.push((await test(settings("guessed"))).status);
    expect(statuses).toEqual(Array(9).fill(502));
    expect((await server.state()).connections).toBe(10 + 9);
  });

  it("does not hold for a plain save", async () => {
    const { settings, save } = await limitedTenant();
    expect((await save(settings("guessed"))).status).toBe(200);
  });

  it("ends for what waits once a test has logged in", async () => {
    const { server, outbox, id, settings, test, save } = await limitedTenant();
    advanceClock(1_000);
    await save(settings("right"));
    // The outbox is notified behind the response.
    await eventually(async () =>
      expect(await outbox.database.value("settings")).toMatchObject({ at: Date.now() }),
    );
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ waitingFor: "settings", failure: TOO_MANY_LOGINS });
    // One login is free again, and the test takes it.
    advanceClock(MINUTE);
    expect((await test(settings("right"))).status).toBe(200);
    expect(await outbox.alarmAt()).toBeLessThanOrEqual(Date.now());
    await outbox.runAlarmNow();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
    expect((await server.state()).messages).toHaveLength(1);
  });
});
