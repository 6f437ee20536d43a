import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { newTokenEndpoint, respondsWith } from "../support/oauth/endpoints.ts";
import { tokenSettings } from "../support/oauth/token-sessions.ts";
import { aMail, newOutbox } from "../support/outbox.ts";
import { newSender } from "../support/sender.ts";
import { secured } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;
const HOURS = 6;
const CODE_EVERY_MINUTES = 3;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** A tenant whose administrator and applications do their worst, over the API and with servers of their own. */
async function hostileTenant() {
  const [family] = families;
  const server = await mailServer();
  const sender = await newSender(family, server);
  const { outbox, tenant, realm } = sender;
  const exp = Date.now() / 1_000 + (HOURS + 1) * 60 * 60;
  const adminToken = await realm.token({ exp });
  const token = await realm.token({
    exp,
    resource_access: { "tenant-mail": { roles: ["mail-sender"] } },
  });
  const request: typeof sender.request = (path, options) => sender.request(path, { token, ...options });
  const endpoint = await newTokenEndpoint(
    respondsWith({ error: "invalid_client", error_description: " ".repeat(60 * 1024) }, 400),
  );
  const mechanisms = Array.from({ length: 2_900 }, (_, index) => `X-MECHANISM-${index}`).join(" ");
  const code = { ...aMail, expiresIn: 600 };
  const save = (changes: Record<string, unknown> = {}) =>
    call(family.address(tenant), { token: adminToken, body: localSettings(server.port, changes) });
  const test = (settings: object) =>
    call(family.testAddress(tenant), { token: adminToken, body: { mode: "probe", settings } });
  const isDue = async () => ((await outbox.alarmAt()) ?? Number.POSITIVE_INFINITY) <= Date.now();
  const runAlarms = async () => {
    for (let alarm = 0; alarm < 3 && (await isDue()); alarm++) await outbox.runAlarmNow();
  };

  /** Each attack returns what ends it, once the neighbor has sent. */
  const attacks: (() => Promise<(() => Promise<void>) | undefined>)[] = [
    async function guessPasswords() {
      for (let guess = 0; guess < 12; guess++) {
        await save({ password: `guess ${guess}` });
        const { id } = await (await request("", { body: code })).json<{ id: string }>();
        await runAlarms();
        await request(`/${id}`, { method: "DELETE" });
      }
      await save();
      return undefined;
    },
    async function sendToInventedRecipients() {
      await server.change({ reject: { recipient: "550 5.1.1 unknown" } });
      await request("", { body: Array(50).fill(aMail) });
      await runAlarms();
      const { messages } = await (await request("?limit=200&state=failed")).json<{
        messages: { id: string }[];
      }>();
      for (const { id } of messages.slice(0, 10)) await request(`/${id}/retry`, { method: "POST" });
      for (const { id } of messages.slice(10, 20)) await request(`/${id}`, { method: "DELETE" });
      return undefined;
    },
    async function holdEveryReply() {
      await server.change({ holdsReplies: true });
      await request("", { body: Array(10).fill(code) });
      if (!(await isDue())) return undefined;
      const alarm = outbox.runAlarmNow();
      await eventually(async () => expect((await server.state()).openConnections).toBeGreaterThan(0));
      return async () => {
        await server.change({});
        await alarm;
      };
    },
    async function loseReplies() {
      await server.change({ loseReplies: 5 });
      await request("", { body: Array(5).fill(code) });
      await runAlarms();
      return undefined;
    },
    async function testWithEndlessTexts() {
      const { port } = await scriptedServer([...secured(`AUTH ${mechanisms}`), { hang: true }]);
      const { port: tokenPort } = await mailServer({ mechanisms: ["XOAUTH2"] });
      await Promise.all([
        test(localSettings(port)),
        test(tokenSettings(tokenPort, { authTokenUrl: endpoint.url })),
      ]);
      return undefined;
    },
    async function flood() {
      const forged = await realm.token({ exp }, { kid: "forged" });
      for (let batch = 0; batch < 6; batch++) {
        await request("", { body: Array(100).fill(code), token: batch % 2 ? token : forged });
      }
      return undefined;
    },
  ];
  return { attacks, runAlarms };
}

describe("six hours beside a tenant that floods, guesses, fails and hangs", () => {
  it("cost a healthy tenant no second: each of its codes is sent at once, and once", async () => {
    const server = await mailServer();
    const healthy = await newOutbox(server);
    const hostile = await hostileTenant();
    const codes = (HOURS * 60) / CODE_EVERY_MINUTES;
    for (let index = 0; index < codes; index++) {
      const end = await hostile.attacks[index % hostile.attacks.length]?.();
      const id = await healthy.submit({ to: `user-${index}@example.com`, expiresIn: 600 });
      await healthy.runAlarmNow();
      expect(await healthy.status(id)).toMatchObject({ state: "sent", attempts: 1 });
      await end?.();
      await hostile.runAlarms();
      advanceClock(CODE_EVERY_MINUTES * MINUTE);
    }
    const { messages } = await server.state();
    expect(messages.map(({ rcptTo }) => rcptTo)).toEqual(
      Array.from({ length: codes }, (_, index) => [`user-${index}@example.com`]),
    );
  }, 600_000);
});
