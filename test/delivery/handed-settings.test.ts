import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newAdministrator } from "../support/administrator.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { families } from "../support/families.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLog } from "../support/log.ts";
import { newOutbox, recordOf } from "../support/outbox.ts";
import { OutboxDatabase } from "../support/outbox-database.ts";
import { deleted, saved } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";
import { mailServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

describe("settings that were just saved", () => {
  it("replace those in KV for 2 minutes", async () => {
    const [previous, current] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(previous);
    await outbox.notify(localSettings(current.port));
    await outbox.submit();
    await outbox.runAlarm();
    advanceClock(2 * MINUTE - 1);
    await outbox.submit();
    await outbox.runAlarmNow();
    expect([await current.state(), await previous.state()].map(({ messages }) => messages.length)).toEqual([
      2, 0,
    ]);
  });

  it("are dropped after 2 minutes, when KV shows them everywhere", async () => {
    const [inKv, handed] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(inKv);
    await outbox.notify(localSettings(handed.port));
    advanceClock(2 * MINUTE);
    await outbox.submit();
    await outbox.runAlarm();
    expect([await inKv.state(), await handed.state()].map(({ messages }) => messages.length)).toEqual([1, 0]);
  });

  it("are tried once, if the outbox is notified of them twice", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    const at = Date.now();
    const jwe = await outbox.seal(recordOf(localSettings(server.port, { password: "wrong" })));
    await outbox.stub.settingsChanged(jwe, at);
    await outbox.runAlarm();
    await outbox.stub.settingsChanged(jwe, at);
    await outbox.runAlarmNow();
    expect((await server.state()).connections).toBe(1);
    expect(await outbox.status(id)).toMatchObject({ waitingFor: "settings" });
  });

  it("leave nothing behind if no message is ever sent", async () => {
    const outbox = await newOutbox(await mailServer());
    await outbox.notify(localSettings(1));
    expect(await outbox.alarmAt()).toBe(Date.now() + 2 * MINUTE);
    await outbox.runAlarm();
    expect(await outbox.alarmAt()).toBeNull();
    expect(await outbox.database.keys()).toEqual([]);
  });

  it("allow sending although KV shows none yet", async () => {
    const server = await mailServer();
    const outbox = await newOutbox();
    await expect(outbox.submit()).rejects.toMatchObject({ kind: "nothing_stored" });
    await outbox.notify(localSettings(server.port));
    const id = await outbox.submit();
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent" });
  });

  it("do not replace later ones that arrived first", async () => {
    const [earlier, later] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(earlier);
    await outbox.notify(localSettings(later.port));
    await outbox.notify(localSettings(earlier.port), Date.now() - 1);
    await outbox.submit();
    await outbox.runAlarm();
    expect([await later.state(), await earlier.state()].map(({ messages }) => messages.length)).toEqual([
      1, 0,
    ]);
  });

  it("take over from an alarm that runs, between two messages", async () => {
    const [previous, current] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(previous);
    await previous.change({ holdsReplies: true });
    const { messages } = await outbox.submitAll([{}, {}, {}, {}, {}, {}]);
    const alarm = outbox.runAlarm();
    await eventually(async () =>
      expect(await outbox.status(messages[0]?.id ?? "")).toMatchObject({ attempts: 1 }),
    );
    await outbox.notify(localSettings(current.port));
    await previous.change({});
    await alarm;
    await outbox.runAlarm();
    expect(new Set(await outbox.states())).toEqual(new Set(["sent"]));
    const counts = [await previous.state(), await current.state()].map(({ messages }) => messages.length);
    expect(counts[0]).toBeLessThanOrEqual(2);
    expect(counts[1]).toBe(6 - (counts[0] ?? 0));
  });

  it("are not paused for a failure of the previous ones", async () => {
    const [previous, current] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(previous);
    const reject = { message: "421 4.3.2 closing" };
    await previous.change({ holdsReplies: true, reject });
    const id = await outbox.submit();
    const alarm = outbox.runAlarm();
    await eventually(async () => expect(await outbox.status(id)).toMatchObject({ attempts: 1 }));
    await outbox.notify(localSettings(current.port));
    await previous.change({ reject });
    await alarm;
    expect(await outbox.status(id)).toMatchObject({ state: "queued", attempts: 0 });
    expect(await outbox.status(id)).not.toHaveProperty("waitingFor");
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
  });

  it("are found by an alarm that was about to use the previous ones", async () => {
    const [previous, current] = [await mailServer(), await mailServer()];
    const outbox = await newOutbox(previous);
    const id = await outbox.submit();
    const SMTP_SETTINGS = interceptedKv(env.SMTP_SETTINGS, () => outbox.notify(localSettings(current.port)));
    await outbox.replaceBindings({ SMTP_SETTINGS });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "queued" });
    expect(await outbox.alarmAt()).toBe(Date.now());
    await outbox.runAlarm();
    expect((await previous.state()).connections).toBe(0);
    expect((await current.state()).messages).toHaveLength(1);
  });
});

describe("settings that were just deleted", () => {
  it("are gone although KV still shows them", async () => {
    const server = await mailServer();
    const outbox = await newOutbox(server);
    const id = await outbox.submit();
    await outbox.notify(undefined);
    await expect(outbox.submit()).rejects.toMatchObject({ kind: "nothing_stored" });
    await outbox.runAlarm();
    expect(await outbox.status(id)).toMatchObject({ state: "queued", waitingFor: "settings" });
    expect((await server.state()).connections).toBe(0);
  });
});

describe.each(families)("the settings routes ($family)", ({ address }) => {
  it("hand over what they save and delete", async () => {
    const ada = await newAdministrator(address);
    const database = new OutboxDatabase(ada.tenant);
    expect(await ada.save(sampleSettings, { env: {} })).toEqual(saved);
    expect(await database.value("settings")).toMatchObject({ jwe: await ada.sealed() });
    await ada.send({ method: "DELETE", env: {} });
    expect(await database.value("settings")).toEqual({ at: expect.any(Number) });
  });

  it("succeed although the outbox fails, and log it", async () => {
    const ada = await newAdministrator(address);
    const OUTBOX = {
      getByName: () => {
        throw new Error("unavailable");
      },
    } as never;
    const logged = { message: "outbox not notified", tenant: ada.tenant, reason: "unexpected error" };
    const save = await captureLog(() => ada.save(sampleSettings, { env: { OUTBOX } }));
    expect(save.result).toEqual(saved);
    expect(save.lines.map((line) => JSON.parse(line))).toContainEqual(logged);
    const removal = await captureLog(async () =>
      (await ada.send({ method: "DELETE", env: { OUTBOX } })).json(),
    );
    expect(removal.result).toEqual(deleted.body);
    expect(removal.lines.map((line) => JSON.parse(line))).toContainEqual(logged);
  });

  it("hand over nothing that was not saved", async () => {
    const ada = await newAdministrator(address);
    await ada.save({ ...sampleSettings, port: 25 }, { env: {} });
    expect(await new OutboxDatabase(ada.tenant).value("settings")).toBeUndefined();
  });
});
