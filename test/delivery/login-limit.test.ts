import { describe, expect, it } from "vitest";
import { LoginLimit, loginOutcomeOf, MAX_PROVEN_LOGINS } from "../../src/delivery/login-limit.ts";
import type { FailureKind, Stage } from "../../src/smtp/result.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.parse("2026-12-01T12:00:00Z");

function newLimit(): LoginLimit {
  const stored = new Map<string, unknown>();
  const kv = {
    get: (key: string) => stored.get(key),
    put: (key: string, value: unknown) => stored.set(key, value),
    delete: (key: string) => stored.delete(key),
  };
  return new LoginLimit(kv as unknown as SyncKvStorage);
}

/** Tries a login with other settings each time. */
function guess(limit: LoginLimit, at: number, count = 1): void {
  for (let index = 0; index < count; index++) {
    expect(limit.begin([`guess ${at} ${index}`], at)).toEqual({ kind: "counted", at });
  }
}

describe("logins with settings that have never logged in", () => {
  it("are 10 a minute, whatever the settings", () => {
    const limit = newLimit();
    guess(limit, NOW);
    guess(limit, NOW + 1_000, 9);
    const next = limit.begin(["another"], NOW + 2_000);
    expect(next).toEqual({ kind: "limited", until: NOW + MINUTE });
    guess(limit, NOW + MINUTE);
    expect(limit.begin(["another"], NOW + MINUTE)).toEqual({ kind: "limited", until: NOW + 1_000 + MINUTE });
  });

  it("are 100 a day", () => {
    const limit = newLimit();
    for (let minute = 0; minute < 10; minute++) guess(limit, NOW + minute * MINUTE, 10);
    expect(limit.begin(["another"], NOW + 12 * 60 * MINUTE)).toEqual({ kind: "limited", until: NOW + DAY });
    guess(limit, NOW + DAY, 10);
    expect(limit.begin(["another"], NOW + DAY)).toEqual({ kind: "limited", until: NOW + DAY + MINUTE });
  });

  it("do not count if none was tried, or once they have succeeded", () => {
    const limit = newLimit();
    for (const outcome of ["untried", "succeeded"] as const) {
      for (let login = 0; login < 20; login++) {
        expect(limit.begin([`${outcome} ${login}`], NOW)).toEqual({ kind: "counted", at: NOW });
        limit.end([`${outcome} ${login}`], NOW, outcome);
      }
    }
    guess(limit, NOW, 10);
  });

  it("count if they have failed", () => {
    const limit = newLimit();
    guess(limit, NOW, 10);
    for (let login = 0; login < 10; login++) limit.end([`guess ${NOW} ${login}`], NOW, "failed");
    expect(limit.begin(["another"], NOW)).toMatchObject({ kind: "limited" });
  });
});

describe("settings that have logged in", () => {
  it("are never limited", () => {
    const limit = newLimit();
    limit.prove(["known"]);
    guess(limit, NOW, 10);
    for (let login = 0; login < 200; login++) expect(limit.begin(["known"], NOW)).toEqual({ kind: "proven" });
  });

  it("are recognized by any settings key, while keys rotate", () => {
    const limit = newLimit();
    limit.prove(["old known"]);
    expect(limit.begin(["new known", "old known"], NOW)).toEqual({ kind: "proven" });
    limit.prove(["new known", "old known"]);
    expect(limit.begin(["new known"], NOW)).toEqual({ kind: "proven" });
  });

  it("are forgotten beyond 100, the oldest first", () => {
    const limit = newLimit();
    for (let index = 0; index <= MAX_PROVEN_LOGINS; index++) limit.prove([`known ${index}`]);
    expect(limit.begin(["known 1"], NOW)).toEqual({ kind: "proven" });
    expect(limit.begin([`known ${MAX_PROVEN_LOGINS}`], NOW)).toEqual({ kind: "proven" });
    expect(limit.begin(["known 0"], NOW)).toMatchObject({ kind: "counted" });
  });
});

describe("loginOutcomeOf", () => {
  it.each<[string, Stage, FailureKind]>([
    ["untried", "connect", "not_connected"],
    ["untried", "greeting", "reply"],
    ["untried", "tls", "tls_failed"],
    ["untried", "token", "token_unreachable"],
    ["untried", "token", "token_forbidden"],
    ["untried", "authentication", "authentication_not_offered"],
    ["untried", "authentication", "credentials_need_tls"],
    ["failed", "token", "token_rejected"],
    ["failed", "token", "token_missing"],
    ["failed", "authentication", "reply"],
    ["failed", "authentication", "closed"],
    ["failed", "authentication", "timeout"],
    ["succeeded", "sender", "reply"],
    ["succeeded", "recipient", "reply"],
    ["succeeded", "message", "timeout"],
  ])("is %s after a failure in stage %s: %s", (outcome, stage, kind) => {
    const failure = { kind, stage, steps: [], contentSent: false, smtputf8: false };
    expect(loginOutcomeOf({ ok: false, failure })).toBe(outcome);
  });

  it("is succeeded after success", () => {
    expect(loginOutcomeOf({ ok: true, steps: [] })).toBe("succeeded");
  });
});
