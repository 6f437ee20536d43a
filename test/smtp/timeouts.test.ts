import { describe, expect, it } from "vitest";
import { DELIVERY_TIMEOUTS, TEST_TIMEOUTS } from "../../src/smtp/limits.ts";
import type { SmtpSettings } from "../../src/smtp/smtp-settings.ts";
import { timeoutsFor } from "../../src/smtp/timeouts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { diagnosisOf } from "../support/smtp/sessions.ts";

describe("timeoutsFor", () => {
  it.each<[string, Partial<SmtpSettings>, object]>([
    ["no time limits", {}, {}],
    ["limits of 0, which are none", { connectionTimeout: 0, timeout: 0, writeTimeout: 0 }, {}],
    ["limits longer than our own", { connectionTimeout: 60_000, timeout: 60_000, writeTimeout: 1 }, {}],
    ["a shorter connectionTimeout", { connectionTimeout: 700 }, { connectMs: 700 }],
    ["a shorter timeout, beside Keycloak's default to write", { timeout: 700 }, { greetingMs: 700 }],
    [
      "shorter limits to write and read",
      { timeout: 700, writeTimeout: 300 },
      { greetingMs: 700, replyMs: 1_000 },
    ],
    ["a limit to write beside none to read", { timeout: 0, writeTimeout: 300 }, {}],
  ])("applies %s to a test", (_, settings, changes) => {
    expect(timeoutsFor(settings, TEST_TIMEOUTS)).toEqual({ ...TEST_TIMEOUTS, ...changes });
  });

  it("keeps the time for the reply to a message", () => {
    const settings = { connectionTimeout: 10, timeout: 10, writeTimeout: 10 };
    expect(timeoutsFor(settings, DELIVERY_TIMEOUTS)).toEqual({
      ...DELIVERY_TIMEOUTS,
      ...{ connectMs: 10, greetingMs: 10, replyMs: 20 },
    });
  });

  it("assumes Keycloak's default where one of two limits is absent", () => {
    expect(timeoutsFor({ writeTimeout: 500 }, DELIVERY_TIMEOUTS)).toMatchObject({ replyMs: 10_500 });
  });
});

describe("a session", () => {
  it("waits for the greeting no longer than the timeout of the settings", async () => {
    const silent = await scriptedServer([{ hang: true }]);
    const startedAt = Date.now();
    const diagnosis = await diagnosisOf(silent, { settings: { timeout: 50 } });
    expect(diagnosis).toMatchObject({ stage: "greeting" });
    expect(Date.now() - startedAt).toBeLessThan(TEST_TIMEOUTS.greetingMs);
  });
});
