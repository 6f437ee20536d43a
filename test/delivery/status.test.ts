import { describe, expect, it } from "vitest";
import type { MailRow } from "../../src/delivery/mail-row.ts";
import { type FailedTry, type Pause, pauseAfter } from "../../src/delivery/pause.ts";
import { toStatus } from "../../src/delivery/status.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const own = { message: "It was refused.", stage: "recipient", hint: "Check it." } as const;
const ofPause = { message: "It failed.", stage: "connect", hint: "Wait." } as const;

/** A message that has been refused once, a minute ago. */
const refused: MailRow = {
  id: "01a20ec7-e1df-7000-9c3f-9f047315de87",
  state: "queued",
  tag: null,
  created_at: NOW - MINUTE,
  updated_at: NOW - MINUTE,
  expires_at: NOW + DAY,
  lifetime_ms: DAY,
  due_at: NOW + 4 * MINUTE,
  message_id: null,
  failure: JSON.stringify(own),
  size: 100,
  tried_at: NOW - MINUTE,
  attempts: 1,
  step: 1,
  deferrals: 0,
  refusals: 1,
  refused_at: NOW - MINUTE,
  others_accepted: 0,
  unknown_outcomes: 0,
  unknown_since: null,
};

const untried: Partial<MailRow> = {
  failure: null,
  tried_at: null,
  attempts: 0,
  step: 0,
  refusals: 0,
  refused_at: null,
  due_at: NOW - MINUTE,
};
const urgent = { lifetime_ms: 10 * MINUTE };
const unknown: Partial<MailRow> = { refusals: 0, unknown_outcomes: 1, unknown_since: NOW - MINUTE };
const later = { created_at: NOW + SECOND, due_at: NOW + SECOND };

function pausedBy(changes: Partial<FailedTry>, failedTries = 0): Pause {
  const failed: FailedTry = {
    kind: "delivery",
    waitingFor: "server",
    failure: ofPause,
    loginWorked: false,
    isOfSession: true,
    isOwn: true,
    startedAt: NOW,
    ...changes,
  };
  let pause = pauseAfter(undefined, failed, NOW);
  for (let count = 0; count < failedTries; count++) pause = pauseAfter(pause, failed, NOW);
  return pause;
}

const down = pausedBy({});
const longDown = pausedBy({}, 4);
const ofOthers = pausedBy({ isOfSession: false });
const login = pausedBy({ kind: "login", waitingFor: "settings" });
const settings = pausedBy({ kind: "settings", waitingFor: "settings" });

describe("a message that waits", () => {
  it.each<[string, Partial<MailRow>, Pause | undefined, milliseconds: number, "own" | "pause" | undefined]>([
    ["for its own retry", {}, undefined, 4 * MINUTE, "own"],
    ["for its first attempt", untried, undefined, -MINUTE, undefined],
    ["for a server that is down", {}, down, 30 * SECOND, "pause"],
    ["for a server that has been down", {}, longDown, 480 * SECOND, "pause"],
    ["for a server that has been down, and is urgent", urgent, longDown, MINUTE, "pause"],
    ["for a server that is down, and is new", { ...untried, ...later }, down, 30 * SECOND, "pause"],
    ["for its first try, urgent and new", { ...untried, ...urgent, ...later }, down, SECOND, "pause"],
    ["for the acceptance of any, refused itself", {}, ofOthers, 30 * SECOND, "own"],
    ["for the acceptance of others", untried, ofOthers, 30 * SECOND, "pause"],
    ["for its first try, urgent, with others refused", { ...untried, ...urgent }, ofOthers, -MINUTE, "pause"],
    ["for a login", {}, login, HOUR, "pause"],
    ["for a login, urgent and new", { ...untried, ...urgent, ...later }, login, HOUR, "pause"],
    ["for settings", {}, settings, HOUR, "pause"],
  ])("shows when it is tried, and why it waits: %s", (_, changes, pause, milliseconds, failure) => {
    const status = toStatus({ ...refused, ...changes }, pause);
    expect(status.nextAttemptAt).toBe(new Date(NOW + milliseconds).toISOString());
    expect(status.waitingFor).toBe(pause?.waitingFor);
    expect(status.failure).toEqual({ own, pause: ofPause, none: undefined }[failure ?? "none"]);
  });
});

describe("a message of unknown outcome", () => {
  it.each([
    ["a server that is down", down],
    ["the acceptance of others", ofOthers],
  ])("keeps its own schedule while the outbox waits for %s", (_, pause) => {
    const status = toStatus({ ...refused, ...unknown }, pause);
    expect(status).toMatchObject({ nextAttemptAt: new Date(NOW + 4 * MINUTE).toISOString(), failure: own });
    expect(status).not.toHaveProperty("waitingFor");
  });

  it("waits like the others once it was tried in vain", () => {
    const tried = { due_at: NOW - SECOND, tried_at: NOW };
    expect(toStatus({ ...refused, ...unknown, ...tried }, down)).toMatchObject({
      waitingFor: "server",
      nextAttemptAt: new Date(NOW + 30 * SECOND).toISOString(),
      failure: ofPause,
    });
  });

  it.each([
    ["due before", 4 * MINUTE, HOUR],
    ["due later", 4 * HOUR, 4 * HOUR],
  ])("waits for the login, if it is %s", (_, due, expected) => {
    expect(toStatus({ ...refused, ...unknown, due_at: NOW + due }, login)).toMatchObject({
      waitingFor: "settings",
      nextAttemptAt: new Date(NOW + expected).toISOString(),
      failure: ofPause,
    });
  });
});

describe("a message in a final state", () => {
  it.each(["failed", "expired"] as const)("shows its own failure during a pause: %s", (state) => {
    const status = toStatus({ ...refused, state, due_at: null }, down);
    expect(status).toMatchObject({ state, failure: own });
    expect(status).not.toHaveProperty("waitingFor");
    expect(status).not.toHaveProperty("nextAttemptAt");
  });

  it("shows no failure once it is sent", () => {
    expect(toStatus({ ...refused, state: "sent", due_at: null }, down)).not.toHaveProperty("failure");
  });
});
