import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { newSender } from "../support/sender.ts";
import { secured } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const names = Array.from({ length: 2_900 }, (_, index) => `X-MECHANISM-${index}`);

/** A server that offers as many SASL mechanisms as fit into its reply. */
const endless = () => scriptedServer([...secured(`AUTH ${names.join(" ")}`), { hang: true }]);

const bytesOf = (body: unknown) => JSON.stringify(body).length;

describe.each(families)("a server that offers mechanisms without end ($family)", (family) => {
  // Alarms are set for this time, so none fires before the test runs it.
  beforeEach(() => advanceClock(60 * 60_000));
  afterEach(restoreClock);

  it("makes the response to a test no longer than 2 KiB", async () => {
    const client = await newSmtpTestClient(family);
    const { port } = await endless();
    const { httpStatus, body } = await client.test({ settings: localSettings(port) });
    expect([httpStatus, body]).toMatchObject([502, { hint: expect.stringContaining("X-MECHANISM-19 only") }]);
    expect(bytesOf(body)).toBeLessThan(2 * 1024);
  });

  it("makes a list of 100 messages no longer than 2 KiB for each", async () => {
    const ada = await newSender(family, await endless());
    await ada.outbox.submitAll(Array.from({ length: 100 }, () => ({})));
    await ada.outbox.runAlarm();
    const { body } = await ada.json("?limit=100");
    expect(body).toMatchObject({ messages: { length: 100, 99: { failure: { stage: "authentication" } } } });
    expect(bytesOf(body)).toBeLessThan(100 * 2 * 1024);
  });
});
