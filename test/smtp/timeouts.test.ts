import { describe, expect, it } from "vitest";
import type { SmtpSettings } from "../../src/smtp/smtp-settings.ts";
import { DELIVERY_TIMEOUTS, firstByteLimit, TEST_TIMEOUTS, timeoutsFor } from "../../src/smtp/timeouts.ts";

describe("timeoutsFor", () => {
  it.each<[string, Partial<SmtpSettings>, object]>([
    ["no time limits", {}, {}],
    ["limits of 0, which are none", { connectionTimeout: 0, timeout: 0, writeTimeout: 0 }, {}],
    ["limits longer than our own", { connectionTimeout: 60_000, timeout: 60_000, writeTimeout: 1 }, {}],
    ["a shorter connectionTimeout", { connectionTimeout: 700 }, { connectMs: 700 }],
    [
      "a shorter timeout, beside Keycloak's default to write",
      { timeout: 700 },
      { greetingMs: 700, replyMs: 10_700 },
    ],
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
      connectMs: 10,
      greetingMs: 10,
      replyMs: 20,
    });
  });

  it("assumes Keycloak's default where one of two limits is absent", () => {
    expect(timeoutsFor({ writeTimeout: 500 }, DELIVERY_TIMEOUTS)).toMatchObject({ replyMs: 10_500 });
  });
});

describe("firstByteLimit", () => {
  const limits = { ...TEST_TIMEOUTS, greetingMs: 20_000, silenceOnTlsPortMs: 5_000 };

  it.each<[port: number, ssl: boolean, starttls: boolean, limitMs: number]>([
    [465, false, true, 5_000],
    [2465, false, true, 5_000],
    [2465, false, false, 5_000],
    // Implicit TLS, as 465 is assigned to it.
    [465, false, false, 20_000],
    [465, true, false, 20_000],
    [2465, true, true, 20_000],
    [587, false, true, 20_000],
    [587, true, false, 20_000],
  ])("on port %i with ssl %j and starttls %j is %i ms", (port, ssl, starttls, limitMs) => {
    expect(firstByteLimit({ host: "smtp.example.net", port, ssl, starttls }, limits)).toBe(limitMs);
  });

  it("never exceeds the limit of the greeting", () => {
    const settings = { host: "smtp.example.net", port: 465, ssl: false, starttls: true };
    expect(firstByteLimit(settings, { ...limits, greetingMs: 700 })).toBe(700);
  });
});
