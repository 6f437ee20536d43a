import { describe, expect, it } from "vitest";
import {
  decide,
  decideDoubtful,
  decideUnopened,
  type FailedAttempt,
  pauseForServer,
  pauseForSettings,
} from "../../src/delivery/retry-policy.ts";
import { FAILURE_KINDS, type SmtpFailure, type Stage } from "../../src/smtp/result.ts";
import { smtpFailure } from "../support/smtp/failures.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function rejection(stage: Stage, reply: string): SmtpFailure {
  return smtpFailure("reply", stage, { reply });
}

function attempt(failure: SmtpFailure, changes: Partial<FailedAttempt> = {}): FailedAttempt {
  const mail = { attempts: 1, doubts: 0, expiresAt: NOW + 72 * HOUR };
  return { failure, contentSent: false, mail, authenticated: true, serverFailures: 0, ...changes };
}

const serverPause = {
  action: "pause",
  waitingFor: "server",
  until: NOW + 30_000,
  failures: 1,
};
const settingsPause = { action: "pause", waitingFor: "settings", until: NOW + HOUR, failures: 0 };
const retryInAMinute = { action: "retry", at: NOW + MINUTE, doubts: 0 };
const failure = { action: "fail", mayHaveArrived: false };

describe("a failure of the server", () => {
  it.each<[Stage, string]>([
    ["connect", "554 5.3.2 no service"],
    ["greeting", "421 4.3.2 try later"],
    ["greeting", "554 5.7.1 your address is blocked"],
    ["tls", "454 4.7.0 TLS not available"],
    ["tls", "502 5.5.1 unknown command"],
    ["authentication", "421 4.7.0 try later"],
    ["authentication", "454 4.7.0 temporary authentication failure"],
    ["authentication", "432 4.7.12 a password transition is needed"],
    ["sender", "421 4.7.0 try later"],
    ["sender", "452 4.3.1 insufficient system storage"],
    ["sender", "451 4.3.2 not accepting messages"],
    ["sender", "450 4.7.1 Error: too much mail from 192.0.2.1, rate limit reached"],
    ["recipient", "421 4.7.28 unusual rate"],
    ["recipient", "451 4.7.650 The mail server has been temporarily rate limited: too many messages"],
    ["message", "421 4.7.0 closing"],
    ["message", "550 5.4.5 Daily user sending limit exceeded"],
    ["message", "554 5.2.2 submission quota exceeded"],
  ])("pauses the outbox: %s, %s", (stage, reply) => {
    expect(decide(attempt(rejection(stage, reply)), NOW)).toEqual(serverPause);
  });

  it.each(
    FAILURE_KINDS.filter(
      (kind) =>
        !["reply", "too_large", "smtputf8_not_offered", "forbidden_destination"].includes(kind) &&
        !["credentials_need_tls", "authentication_not_offered"].includes(kind) &&
        !["token_forbidden", "token_rejected", "token_missing"].includes(kind),
    ),
  )("pauses the outbox: %s", (kind) => {
    expect(decide(attempt(smtpFailure(kind, "greeting")), NOW)).toEqual(serverPause);
  });

  it.each([
    [0, 0.5],
    [1, 1],
    [2, 2],
    [5, 16],
    [6, 30],
    [1_000, 30],
  ])("after %i others pauses for %f minutes", (failures, minutes) => {
    expect(pauseForServer(failures, NOW)).toEqual({
      ...serverPause,
      until: NOW + minutes * MINUTE,
      failures: failures + 1,
    });
  });

  it("counts the failures before it", () => {
    const { failures } = pauseForServer(3, NOW);
    const refused = attempt(rejection("sender", "421 no"), { serverFailures: failures });
    expect(decide(refused, NOW)).toMatchObject({ until: NOW + 8 * MINUTE, failures: 5 });
  });
});

describe("a failure of the settings", () => {
  it.each<[Stage, string]>([
    ["authentication", "535 5.7.8 Authentication failed"],
    ["authentication", "534 5.7.9 application-specific password required"],
    ["authentication", "550 5.7.30 basic authentication is not supported"],
    ["sender", "530 5.7.0 Authentication required"],
    ["sender", "553 5.7.1 Sender address rejected: not owned by user"],
    ["recipient", "553 5.7.1 <sender@example.com>: Sender address rejected: not owned by user"],
    ["recipient", "554 5.7.1 <ada@example.com>: Relay access denied"],
    ["recipient", "454 4.7.1 <ada@example.com>: Relay access denied"],
    ["recipient", "450 4.1.8 <a@nowhere.test>: Sender address rejected: Domain not found"],
    ["message", "554 5.2.252 SendAsDenied; not allowed to send as"],
    ["message", "530 5.7.57 Client not authenticated to send mail"],
  ])("pauses the outbox for an hour: %s, %s", (stage, reply) => {
    expect(decide(attempt(rejection(stage, reply)), NOW)).toEqual(settingsPause);
  });

  it.each([
    "forbidden_destination",
    "credentials_need_tls",
    "authentication_not_offered",
    "token_forbidden",
    "token_rejected",
    "token_missing",
  ] as const)("pauses the outbox for an hour: %s", (kind) => {
    expect(decide(attempt(smtpFailure(kind, "authentication")), NOW)).toEqual(settingsPause);
  });

  it("is a recipient's to a client that authenticates, and its own to one that does not", () => {
    const refused = rejection("recipient", "550 Invalid recipient: <ada@example.com>");
    expect(decide(attempt(refused), NOW)).toEqual(failure);
    expect(decide(attempt(refused, { authenticated: false }), NOW)).toEqual(settingsPause);
  });
});

describe("a failure of one mail", () => {
  it.each<[Stage, string]>([
    ["sender", "451 4.7.1 Greylisting in action, try later"],
    ["sender", "451 4.0.0 Sender address rejected: try later"],
    ["recipient", "450 4.2.0 <ada@example.com>: Recipient address rejected: Greylisted"],
    ["recipient", "452 4.2.2 mailbox full"],
    ["recipient", "450 4.2.1 mailbox temporarily unavailable"],
    ["message", "451 4.6.0 try later"],
  ])("retries it for a temporary reply: %s, %s", (stage, reply) => {
    expect(decide(attempt(rejection(stage, reply)), NOW)).toEqual(retryInAMinute);
  });

  it.each<[Stage, string]>([
    ["sender", "552 5.3.4 message size exceeds fixed limit"],
    ["recipient", "550 5.1.1 user unknown"],
    ["recipient", "552 5.2.2 over quota"],
    ["message", "554 5.6.0 message content rejected"],
    ["message", "552 5.2.3 message too large"],
  ])("fails it for a lasting reply: %s, %s", (stage, reply) => {
    expect(decide(attempt(rejection(stage, reply)), NOW)).toEqual(failure);
  });

  it.each(["too_large", "smtputf8_not_offered"] as const)("fails it without a reply: %s", (kind) => {
    expect(decide(attempt(smtpFailure(kind, "message")), NOW)).toEqual(failure);
  });

  it.each([
    [1, 1],
    [2, 5],
    [3, 15],
    [4, 30],
    [5, 60],
    [6, 120],
    [7, 240],
    [8, 240],
    [20, 240],
  ])("after attempt %i retries it in %i minutes", (attempts, minutes) => {
    const mail = { attempts, doubts: 0, expiresAt: NOW + 72 * HOUR };
    const refused = attempt(rejection("recipient", "450 4.2.0 try later"), { mail });
    expect(decide(refused, NOW)).toEqual({ ...retryInAMinute, at: NOW + minutes * MINUTE });
  });

  it("lets it expire in place of a later attempt", () => {
    const mail = { attempts: 6, doubts: 0, expiresAt: NOW + HOUR };
    const refused = attempt(rejection("recipient", "450 4.2.0 try later"), { mail });
    expect(decide(refused, NOW)).toEqual({ ...retryInAMinute, at: NOW + HOUR });
  });
});

describe("an unknown outcome", () => {
  const lost = (kind: SmtpFailure["kind"]) => smtpFailure(kind, "message");

  it.each(["closed", "timeout", "protocol_error"] as const)(
    "retries the mail on its own schedule, and pauses nothing: %s",
    (kind) => {
      const decision = decide(attempt(lost(kind), { contentSent: true }), NOW);
      expect(decision).toEqual({ ...retryInAMinute, doubts: 1 });
    },
  );

  it("is none if the server has replied", () => {
    const refused = (reply: string) => attempt(rejection("message", reply), { contentSent: true });
    expect(decide(refused("554 5.6.0 rejected"), NOW)).toEqual(failure);
    expect(decide(refused("451 4.6.0 later"), NOW)).toEqual(retryInAMinute);
    expect(decide(refused("421 4.3.2 closing"), NOW)).toEqual(serverPause);
  });

  it("is none if the content has not left", () => {
    expect(decide(attempt(lost("closed")), NOW)).toEqual(serverPause);
  });

  it("retries the mail twice, then fails it and says that it may have arrived", () => {
    const decisions = [0, 1, 2].map((doubts) =>
      decideDoubtful({ attempts: doubts + 1, doubts, expiresAt: NOW + 72 * HOUR }, NOW),
    );
    expect(decisions).toEqual([
      { action: "retry", at: NOW + MINUTE, doubts: 1 },
      { action: "retry", at: NOW + 5 * MINUTE, doubts: 2 },
      { action: "fail", mayHaveArrived: true },
    ]);
  });
});

describe("a session that does not open", () => {
  it.each<[string, SmtpFailure]>([
    ["no connection", smtpFailure("not_connected", "connect")],
    ["a lasting reply to EHLO", rejection("greeting", "550 5.7.1 no")],
    ["too many mails", rejection("authentication", "454 4.7.0 too many connections")],
  ])("pauses for the server: %s", (_, problem) => {
    expect(decideUnopened(problem, 0, NOW)).toEqual(serverPause);
  });

  it("pauses for the settings if the server rejects user and password", () => {
    expect(decideUnopened(rejection("authentication", "535 5.7.8 no"), 3, NOW)).toEqual(
      pauseForSettings(NOW),
    );
  });
});
