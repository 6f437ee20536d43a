import { vi } from "vitest";
import { DELIVERY_TIMEOUTS } from "../../src/smtp/timeouts.ts";
import { CLOSE_TIMEOUT_MS } from "../../src/smtp/transport.ts";

/** How long a delivery run keeps an idle connection open at most, in milliseconds. */
const IDLE_CONNECTION_MS = 15_000;

/** Timers of delivery runs that wait for another message. They fire in virtual time; all other timers are real. */
export interface IdleTimers {
  /** When the next timer fires, if there is one. */
  readonly nextAt: number | undefined;
  /** Resolves once there is a timer. */
  started(): Promise<void>;
  /** Fires the timers that are due. */
  fireDue(): void;
}

type TimerCall = [callback: () => void, milliseconds: number];

/** Takes over the timers of delivery runs. Restore the mocks afterwards. */
export function takeOverIdleTimers(): IdleTimers {
  const timers = new Map<object, { at: number; callback: () => void }>();
  const waiting: (() => void)[] = [];
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((...call: TimerCall) => {
    const [callback, milliseconds] = call;
    if (!isIdle(milliseconds)) return set(...call);
    const timer = {};
    timers.set(timer, { at: Date.now() + milliseconds, callback });
    for (const resolve of waiting.splice(0)) resolve();
    return timer;
  }) as typeof setTimeout);
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    const isIdleTimer = typeof timer === "object" && timer !== null && timers.delete(timer);
    if (!isIdleTimer) clear(timer);
  });
  return {
    get nextAt() {
      const times = [...timers.values()].map(({ at }) => at);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    started: () =>
      timers.size > 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve)),
    fireDue() {
      for (const [timer, { at, callback }] of [...timers]) {
        if (at <= Date.now() && timers.delete(timer)) callback();
      }
    },
  };
}

/** Whether a timer is one of an idle connection: the others within this length are those of a session. */
function isIdle(milliseconds: number): boolean {
  const isOfSession = milliseconds <= CLOSE_TIMEOUT_MS || milliseconds === DELIVERY_TIMEOUTS.connectMs;
  return !isOfSession && milliseconds <= IDLE_CONNECTION_MS;
}
