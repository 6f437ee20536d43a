import { describe, expect, it } from "vitest";
import {
  type AttemptedConnection,
  type AttemptedMessage,
  decideDeferred,
  decideRefused,
  decideUnknown,
  type Moment,
  outcomeOf,
  pauseKindOf,
  retry,
  scopeOf,
  type Trials,
} from "../../src/delivery/retry-policy.ts";
import { FAILURE_KINDS, type SmtpFailure, STAGES, type Stage } from "../../src/smtp/result.ts";
import { smtpFailure } from "../support/smtp/failures.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const moment: Moment = { now: NOW, tick: NOW, acceptedAt: undefined };
const ofMessage = { cause: "message", isFinal: false } as const;

const UNTRIED: Trials = {
  attempts: 0,
  step: 0,
  deferrals: 0,
  refusals: 0,
  refusedAt: undefined,
  othersAccepted: false,
  unknownOutcomes: 0,
  unknownSince: undefined,
};

function rejection(stage: Stage, reply: string): SmtpFailure {
  return smtpFailure("reply", stage, { reply });
}

function message(trials: Partial<Trials> = {}, lifetimeMs = 72 * HOUR): AttemptedMessage {
  return { trials: { ...UNTRIED, ...trials }, expiresAt: NOW + lifetimeMs, lifetimeMs };
}

const first: AttemptedConnection = { hasOther: false, isYounger: false, isReused: false, contentLeft: false };
const reused: AttemptedConnection = { ...first, isReused: true };
const younger: AttemptedConnection = { ...first, hasOther: true, isYounger: true };
const refusedAuth = smtpFailure("reply", "authentication", { reply: "504 5.5.4 no", isAuthRefused: true });
const otherwise = { cause: "settings", subject: "sender" } as const;

describe("the scope of a failure on a new connection", () => {
  it.each(STAGES.slice(0, 5).flatMap((stage) => FAILURE_KINDS.map((kind) => [stage, kind] as const)))(
    "is the session at %s: %s",
    (stage, kind) => {
      const failure = smtpFailure(kind, stage, kind === "reply" ? { reply: "554 5.7.1 no" } : {});
      expect(scopeOf(failure, otherwise, first)).toBe("session");
    },
  );

  it.each<[string, SmtpFailure, cause: "settings" | "message", scope: string]>([
    ["5xx to MAIL", rejection("sender", "550 5.7.1 no"), "settings", "session"],
    ["5xx to MAIL about the size", rejection("sender", "552 5.3.4 too large"), "message", "message"],
    ["4xx to MAIL", rejection("sender", "451 4.7.1 later"), "settings", "message"],
    ["421 to MAIL", rejection("sender", "421 4.7.0 later"), "settings", "message"],
    ["432 4.3.2 to MAIL", rejection("sender", "432 4.3.2 busy"), "settings", "message"],
    ["5xx to RCPT", rejection("recipient", "554 5.7.1 no"), "settings", "message"],
    ["5xx to the content", rejection("message", "554 5.7.1 no"), "settings", "message"],
    ["a close at MAIL", smtpFailure("closed", "sender"), "settings", "message"],
    [
      "silence after the content",
      smtpFailure("timeout", "message", { contentSent: true }),
      "settings",
      "message",
    ],
    ["a message too large", smtpFailure("too_large", "message"), "message", "message"],
    ["a sender that needs SMTPUTF8", smtpFailure("smtputf8_not_offered", "sender"), "settings", "session"],
    [
      "a recipient that needs SMTPUTF8",
      smtpFailure("smtputf8_not_offered", "recipient"),
      "message",
      "message",
    ],
  ])("of %s", (_, failure, cause, scope) => {
    expect(scopeOf(failure, { cause, subject: "sender" }, first)).toBe(scope);
  });
});

describe("the scope of a failure on a connection that has carried a message", () => {
  it.each<[string, SmtpFailure, Partial<AttemptedConnection>, scope: string]>([
    ["421 to RCPT", rejection("recipient", "421 4.7.0 later"), {}, "connection"],
    ["421 to the content", rejection("message", "421 4.7.0 later"), { contentLeft: true }, "connection"],
    ["5xx to MAIL", rejection("sender", "550 5.7.1 no"), {}, "connection"],
    ["4xx to MAIL", rejection("sender", "452 4.3.1 later"), {}, "connection"],
    ["a close at RCPT", smtpFailure("closed", "recipient"), {}, "connection"],
    ["silence at MAIL", smtpFailure("timeout", "sender"), {}, "connection"],
    ["4xx to DATA", rejection("message", "451 4.3.0 later"), {}, "connection"],
    ["4.4.5 to RCPT", rejection("recipient", "452 4.4.5 enough"), {}, "connection"],
    ["4xx to the content", rejection("message", "451 4.3.0 later"), { contentLeft: true }, "message"],
    ["5xx to DATA", rejection("message", "554 5.5.1 no"), {}, "message"],
    ["5xx to RCPT", rejection("recipient", "550 5.1.1 no"), {}, "message"],
    ["4xx to RCPT", rejection("recipient", "450 4.2.0 later"), {}, "message"],
    ["a close after the content", smtpFailure("closed", "message", { contentSent: true }), {}, "message"],
    ["a message too large", smtpFailure("too_large", "message"), {}, "message"],
  ])("of %s", (_, failure, changes, scope) => {
    expect(scopeOf(failure, { cause: "message", subject: "recipient" }, { ...reused, ...changes })).toBe(
      scope,
    );
  });

  it("is the connection where the reply is about its messages", () => {
    const failure = rejection("recipient", "452 4.4.5 too many messages in this session");
    expect(scopeOf(failure, { cause: "account", subject: "session" }, reused)).toBe("connection");
    expect(scopeOf(failure, { cause: "account", subject: "session" }, first)).toBe("message");
  });
});

describe("the scope of a failure beside an older connection that is open", () => {
  it.each<[string, SmtpFailure, Partial<AttemptedConnection>, scope: string]>([
    ["no connection", smtpFailure("not_connected", "connect"), {}, "connections"],
    ["a rejected password", rejection("authentication", "535 5.7.8 no"), {}, "connections"],
    ["a refusal of the first MAIL", rejection("sender", "550 5.7.1 no"), {}, "connections"],
    [
      "432 4.3.2 to a later content",
      rejection("message", "432 4.3.2 busy"),
      { isReused: true },
      "connections",
    ],
    [
      "432 4.3.2 to the older one",
      rejection("message", "432 4.3.2 busy"),
      { isYounger: false },
      "connections",
    ],
    [
      "a rejected first MAIL of the older one",
      rejection("sender", "550 no"),
      { isYounger: false },
      "session",
    ],
    ["a refusal of a later MAIL", rejection("sender", "550 5.7.1 no"), { isReused: true }, "connection"],
    ["a refusal of the recipient", rejection("recipient", "550 5.1.1 no"), {}, "message"],
  ])("of %s", (_, failure, changes, scope) => {
    expect(scopeOf(failure, otherwise, { ...younger, ...changes })).toBe(scope);
  });
});

describe("a session that failed", () => {
  it.each<[string, SmtpFailure, subject: "password" | "mechanism" | "logins", kind: string]>([
    ["a rejected password", rejection("authentication", "535 5.7.8 no"), "password", "login"],
    ["a password too weak", rejection("authentication", "534 5.7.9 no"), "password", "login"],
    ["a password to be changed", rejection("authentication", "432 4.7.12 change it"), "password", "login"],
    ["too many connections", rejection("authentication", "432 4.3.2 busy"), "password", "delivery"],
    ["a server that cannot check", rejection("authentication", "454 4.7.0 later"), "password", "delivery"],
    ["a mechanism not supported", refusedAuth, "mechanism", "delivery"],
    ["a password rejected with 501", rejection("authentication", "501 no"), "mechanism", "login"],
    ["too many logins, for now", rejection("authentication", "454 4.7.0 too many"), "logins", "logins"],
    ["too many logins, for good", rejection("authentication", "535 5.7.0 too many"), "logins", "logins"],
    ["a rejected request for a token", smtpFailure("token_rejected", "token"), "password", "login"],
    ["a token endpoint that is down", smtpFailure("token_unreachable", "token"), "password", "delivery"],
    ["a rejected sender", rejection("sender", "550 5.7.1 no"), "password", "delivery"],
    ["no connection", smtpFailure("not_connected", "connect"), "password", "delivery"],
  ])("by %s pauses accordingly", (_, failure, subject, kind) => {
    expect(pauseKindOf(failure, { subject })).toBe(kind);
  });
});

describe("the outcome of an attempt", () => {
  it.each<[string, SmtpFailure, outcome: string]>([
    ["5xx", rejection("recipient", "550 no"), "refused"],
    ["4xx", rejection("recipient", "450 later"), "deferred"],
    ["a close before the content", smtpFailure("closed", "recipient"), "deferred"],
    ["a close after the content", smtpFailure("closed", "message", { contentSent: true }), "unknown"],
    ["a message too large", smtpFailure("too_large", "message"), "refused"],
  ])("is known: %s", (_, failure, outcome) => {
    expect(outcomeOf(failure)).toBe(outcome);
  });
});

describe("the schedule of a message", () => {
  it.each([
    [0, 1],
    [1, 5],
    [2, 15],
    [3, 30],
    [4, 60],
    [5, 120],
    [6, 240],
    [100, 240],
  ])("after step %i waits %i minutes", (step, minutes) => {
    expect(retry(message({ step, attempts: step }), NOW)).toMatchObject({
      at: NOW + minutes * MINUTE,
      trials: { step: step + 1, attempts: step + 1 },
    });
  });

  it.each([
    [1, 0, 0.25],
    [10, 0, 1],
    [10, 1, 2.5],
    [60, 2, 15],
    [60, 3, 15],
  ])(
    "of %i minutes of lifetime waits after step %i at most a quarter: %f minutes",
    (lifetime, step, minutes) => {
      expect(retry(message({ step }, lifetime * MINUTE), NOW).at).toBe(NOW + minutes * MINUTE);
    },
  );

  it("is not shortened after the first retry if the message may have arrived", () => {
    const trials = { unknownOutcomes: 1, unknownSince: NOW };
    expect(retry(message(trials, MINUTE), NOW).at).toBe(NOW + MINUTE / 4);
    expect(retry(message({ ...trials, step: 1 }, 10 * MINUTE), NOW).at).toBe(NOW + 5 * MINUTE);
  });

  it("sets no attempt after the expiry", () => {
    const ending = { ...message({ step: 4 }), expiresAt: NOW + 10 * MINUTE };
    expect(retry(ending, NOW).at).toBe(NOW + 10 * MINUTE);
  });

  it("takes no step by an attempt that is not its own", () => {
    expect(retry(message({ step: 2 }), NOW, false)).toMatchObject({
      at: NOW + 5 * MINUTE,
      trials: { step: 2, attempts: 1 },
    });
  });
});

describe("a refused message", () => {
  it("waits after the first refusal", () => {
    expect(decideRefused(message(), ofMessage, moment, true)).toMatchObject({
      action: "retry",
      at: NOW + MINUTE,
      trials: { refusals: 1, refusedAt: NOW, attempts: 1 },
    });
  });

  it("fails at once if the recipient or the content is at fault beyond doubt", () => {
    expect(decideRefused(message(), { ...ofMessage, isFinal: true }, moment, true)).toMatchObject({
      action: "fail",
      mayHaveArrived: false,
      trials: { attempts: 1 },
    });
  });

  it("fails if its connection has accepted another message between two refusals", () => {
    const again = message({ refusals: 1, refusedAt: NOW - MINUTE, othersAccepted: true });
    expect(decideRefused(again, ofMessage, moment, true).action).toBe("fail");
  });

  it("fails at the fifth refusal if others were accepted between all of them", () => {
    const fourth = message({ refusals: 3, refusedAt: NOW - MINUTE });
    const accepting = { ...moment, acceptedAt: NOW - 1 };
    const after = decideRefused(fourth, ofMessage, accepting, true);
    expect(after.action).toBe("retry");
    expect(
      decideRefused(
        { ...fourth, trials: after.trials },
        ofMessage,
        { ...accepting, acceptedAt: NOW + 1 },
        true,
      ).action,
    ).toBe("fail");
  });

  it("does not count refusals without an acceptance between them", () => {
    const often = message({ refusals: 4, refusedAt: NOW - MINUTE });
    const decision = decideRefused(often, ofMessage, { ...moment, acceptedAt: NOW - HOUR }, true);
    expect(decision).toMatchObject({ action: "retry", trials: { refusals: 4 } });
  });

  it.each(["server", "account", "settings"] as const)("never fails for a fault of the %s", (cause) => {
    const often = message({ refusals: 9, refusedAt: NOW - MINUTE, othersAccepted: true });
    const accepting = { ...moment, acceptedAt: NOW - 1 };
    expect(decideRefused(often, { cause, isFinal: false }, accepting, true).action).toBe("retry");
  });
});

describe("a deferred message", () => {
  it("waits, however often", () => {
    expect(decideDeferred(message({ deferrals: 99, step: 99 }), moment, true)).toMatchObject({
      action: "retry",
      at: NOW + 4 * HOUR,
      trials: { deferrals: 100 },
    });
  });
});

describe("a message whose outcome is unknown", () => {
  it("is sent again on its own schedule while no other is accepted", () => {
    const often = message({ unknownOutcomes: 9, unknownSince: NOW - HOUR, step: 9 });
    expect(decideUnknown(often, { ...moment, acceptedAt: NOW - 2 * HOUR })).toMatchObject({
      action: "retry",
      at: NOW + 4 * HOUR,
      trials: { unknownOutcomes: 10, unknownSince: NOW - HOUR },
    });
  });

  it.each([
    [0, "retry"],
    [1, "retry"],
    [2, "fail"],
  ])(
    "after %i such attempts, with another accepted since the first, is decided: %s",
    (unknownOutcomes, action) => {
      const trials = { unknownOutcomes, unknownSince: NOW - HOUR };
      expect(decideUnknown(message(trials), { ...moment, acceptedAt: NOW - 1 }).action).toBe(action);
    },
  );

  it("may have arrived when it fails", () => {
    const trials = { unknownOutcomes: 2, unknownSince: NOW - HOUR };
    expect(decideUnknown(message(trials), { ...moment, acceptedAt: NOW - 1 })).toMatchObject({
      mayHaveArrived: true,
    });
  });
});

it("sends a message of unknown outcome at most 12 times within a day", () => {
  const day = 24 * HOUR;
  let trials: Trials = UNTRIED;
  let copies = 0;
  for (let now = NOW; now < NOW + day; copies++) {
    const decision = decideUnknown({ trials, expiresAt: NOW + day, lifetimeMs: day }, { ...moment, now });
    if (decision.action === "fail") break;
    now = decision.at;
    trials = decision.trials;
  }
  expect(copies).toBe(12);
});
