import { describe, expect, it } from "vitest";
import {
  type FailedTry,
  nextTryAt,
  type Pause,
  pauseAfter,
  selectionsFor,
  type Waiting,
  wakeAt,
} from "../../src/delivery/pause.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const failure = { message: "It failed.", stage: "connect", hint: "Wait." } as const;

const failed: FailedTry = {
  kind: "delivery",
  waitingFor: "server",
  failure,
  loginWorked: false,
  isOfSession: true,
  isOwn: true,
  startedAt: NOW,
};

const nothing: Waiting = {
  urgent: false,
  newUrgent: false,
  newOrdinary: false,
  unknownDueAt: undefined,
  leastTriedAt: undefined,
};

/** The delays of a pause whose tries all fail, in seconds. */
function delays(
  count: number,
  { hasUrgent = false, ...changes }: Partial<FailedTry & { hasUrgent: boolean }>,
): number[] {
  const found: number[] = [];
  let pause: Pause | undefined;
  let now = NOW;
  for (let index = 0; index < count; index++) {
    pause = pauseAfter(pause, { ...failed, startedAt: now, ...changes }, now);
    const next = nextTryAt(pause, hasUrgent);
    found.push((next - now) / SECOND);
    now = next;
  }
  return found;
}

describe("the tries of a pause", () => {
  it("come after 30 s, doubling to 10 minutes", () => {
    expect(delays(7, {})).toEqual([30, 60, 120, 240, 480, 600, 600]);
  });

  it("come within a minute while an urgent message waits", () => {
    expect(delays(4, { hasUrgent: true })).toEqual([30, 60, 60, 60]);
  });

  it("come hourly after a rejected login", () => {
    expect(delays(3, { kind: "login", hasUrgent: true })).toEqual([3600, 3600, 3600]);
  });

  it("come after 2 and 10 minutes, then hourly, after a rejected login that has worked before", () => {
    expect(delays(4, { kind: "login", loginWorked: true })).toEqual([120, 600, 3600, 3600]);
  });

  it("come after 2 minutes, doubling to an hour, after too many logins", () => {
    expect(delays(7, { kind: "logins", hasUrgent: true })).toEqual([120, 240, 480, 960, 1920, 3600, 3600]);
  });

  it("are not postponed by those of new messages", () => {
    const begun = pauseAfter(undefined, failed, NOW);
    const after = pauseAfter(begun, { ...failed, isOwn: false }, NOW + 20 * SECOND);
    expect(nextTryAt(after, false)).toBe(NOW + 30 * SECOND);
  });
});

describe("the kind of a pause", () => {
  it.each<[Pause["kind"], Pause["kind"], Pause["kind"]]>([
    ["delivery", "login", "login"],
    ["delivery", "logins", "logins"],
    ["logins", "login", "login"],
    ["logins", "delivery", "logins"],
    ["login", "delivery", "login"],
    ["login", "logins", "login"],
    ["settings", "delivery", "delivery"],
  ])("is after a pause of %s and a failure of %s: %s", (previous, next, kind) => {
    const begun = pauseAfter(undefined, { ...failed, kind: previous }, NOW);
    expect(pauseAfter(begun, { ...failed, kind: next }, NOW + MINUTE).kind).toBe(kind);
  });
});

describe("a paused outbox", () => {
  const pause = pauseAfter(undefined, failed, NOW);

  it.each<[string, Partial<Waiting>, seconds: number | undefined]>([
    ["nothing", {}, undefined],
    ["an ordinary message", { leastTriedAt: NOW }, 30],
    ["an untried message", { leastTriedAt: 0 }, 30],
    ["a message just tried", { leastTriedAt: NOW + 20 * SECOND }, 50],
    ["a new urgent message", { urgent: true, newUrgent: true, leastTriedAt: 0 }, -Infinity],
    ["a new ordinary message", { newOrdinary: true, leastTriedAt: 0 }, 30],
    ["one that may have arrived", { unknownDueAt: NOW + 5 * SECOND }, 5],
  ])("wakes for %s", (_, waiting, seconds) => {
    const at = wakeAt(pause, { ...nothing, ...waiting });
    const expected = seconds === -Infinity ? 0 : seconds === undefined ? undefined : NOW + seconds * SECOND;
    expect(at).toBe(expected);
  });

  it("tries new urgent messages and those that may have arrived at any time", () => {
    expect(selectionsFor(pause, nothing, NOW + SECOND)).toEqual([
      { kind: "new", since: NOW, isUrgent: true },
      { kind: "unknown" },
    ]);
  });

  it("tries urgent messages that were never tried if others were not accepted", () => {
    const ofOthers = pauseAfter(undefined, { ...failed, isOfSession: false }, NOW);
    expect(selectionsFor(ofOthers, nothing, NOW)).toContainEqual({ kind: "new", since: 0, isUrgent: true });
  });

  it("tries any message when its own try is due", () => {
    expect(selectionsFor(pause, nothing, NOW + 30 * SECOND)).toContainEqual({ kind: "any" });
  });

  it("tries a new ordinary message if none was tried for 30 s", () => {
    const tried = { ...pause, lastTryAt: NOW + 20 * SECOND, triedAt: NOW + 20 * SECOND };
    const ordinary = { kind: "new", since: NOW, isUrgent: false };
    expect(selectionsFor(tried, nothing, NOW + 49 * SECOND)).not.toContainEqual(ordinary);
    expect(selectionsFor(tried, nothing, NOW + 50 * SECOND)).toContainEqual(ordinary);
  });

  it("counts a message as new only after a failed session", () => {
    const later = NOW + MINUTE;
    expect(pauseAfter(pause, { ...failed, startedAt: later }, later).since).toBe(later);
    expect(pauseAfter(pause, { ...failed, isOfSession: false }, later).since).toBe(NOW);
  });
});

describe("an outbox that waits for a login", () => {
  const pause = pauseAfter(undefined, { ...failed, kind: "login" }, NOW);
  const waiting = { ...nothing, urgent: true, newUrgent: true, leastTriedAt: 0 };

  it("tries no new message before its own try", () => {
    expect(selectionsFor(pause, waiting, NOW + 59 * MINUTE)).toEqual([]);
    expect(wakeAt(pause, waiting)).toBe(NOW + 60 * MINUTE);
  });

  it("then tries any", () => {
    expect(selectionsFor(pause, waiting, NOW + 60 * MINUTE)).toEqual([{ kind: "any" }, { kind: "unknown" }]);
  });

  it("sends nothing that may have arrived meanwhile", () => {
    expect(wakeAt(pause, { ...nothing, unknownDueAt: NOW })).toBe(NOW + 60 * MINUTE);
  });

  it.each<[string, Partial<Waiting>, minutes: number]>([
    ["one that may have arrived, and is due later", { unknownDueAt: NOW + 240 * MINUTE }, 240],
    ["that and another", { leastTriedAt: 0, unknownDueAt: NOW + 240 * MINUTE }, 60],
    [
      "that and another just tried",
      { leastTriedAt: NOW + 60 * MINUTE, unknownDueAt: NOW + 240 * MINUTE },
      60.5,
    ],
  ])("wakes only for what it may try: %s", (_, waiting, minutes) => {
    expect(wakeAt(pause, { ...nothing, ...waiting })).toBe(NOW + minutes * MINUTE);
  });
});
