import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { newOutbox } from "../support/outbox.ts";
import { HOSTILE_RECIPIENT } from "../support/smtp/postfix-configuration.ts";
import { postfix, type TestServer } from "../support/smtp/servers.ts";

const MINUTE = 60_000;

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * MINUTE));
afterEach(restoreClock);

/** How many messages Postfix has passed on to a recipient. */
async function arrivals(server: TestServer, recipient: string): Promise<number> {
  const { messages } = await server.state();
  return messages.filter(({ rcptTo }) => rcptTo.includes(recipient)).length;
}

describe.skipIf(!inject("postfixIsInstalled"))("A recipient whose server Postfix quotes", () => {
  it("holds up no other message, whatever its words", async () => {
    const server = await postfix("verifiedRecipients");
    const outbox = await newOutbox(server);
    const hostile = await outbox.submit({ to: HOSTILE_RECIPIENT });
    const others = ["login@example.org", "report@example.org"];
    await outbox.submitAll(others.map((to) => ({ to, expiresIn: 600 })));
    await outbox.runAlarm();
    expect(await outbox.states()).toEqual(["queued", "sent", "sent"]);
    for (const to of others) await eventually(async () => expect(await arrivals(server, to)).toBe(1));
    const status = await outbox.status(hostile);
    expect(status).toMatchObject({
      attempts: 1,
      failure: {
        stage: "recipient",
        smtpCode: 450,
        enhancedCode: "4.1.1",
        reply: expect.stringMatching(
          /^<\[recipient\]>: Recipient address rejected: unverified address: host \S+ said: 530 5\.7\.0 Authentication required/,
        ),
      },
    });
    expect(status).not.toHaveProperty("waitingFor");
  });

  it("is tried on the message's own schedule, beside messages that go out at once", async () => {
    const server = await postfix("verifiedRecipients");
    const outbox = await newOutbox(server);
    const hostile = await outbox.submit({ to: HOSTILE_RECIPIENT });
    await outbox.runAlarm();
    for (const [attempts, minutes] of [
      [1, 1],
      [2, 5],
      [3, 15],
    ] as const) {
      const nextAttemptAt = new Date(Date.now() + minutes * MINUTE).toISOString();
      expect(await outbox.status(hostile)).toMatchObject({ state: "queued", attempts, nextAttemptAt });
      const code = await outbox.submit({ to: "login@example.org", expiresIn: 600 });
      await outbox.runAlarm();
      expect(await outbox.status(code)).toMatchObject({ state: "sent", attempts: 1 });
      await outbox.runAlarm();
    }
  });
});
