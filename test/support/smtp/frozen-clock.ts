import { afterEach, beforeEach, vi } from "vitest";
import type { SmtpTimeouts } from "../../../src/smtp/timeouts.ts";
import type { TestServer } from "./servers.ts";

/** Time limits that no test reaches, except those given. */
export function longTimeouts(short: Partial<SmtpTimeouts> = {}): SmtpTimeouts {
  const longMs = 60 * 60_000;
  return {
    connectMs: longMs,
    greetingMs: longMs,
    silenceOnTlsPortMs: longMs,
    replyMs: longMs,
    messageReplyMs: longMs,
    totalMs: longMs,
    ...short,
  };
}

/**
 * Stops the clock of this Worker for each test, however busy the machine is. Servers and sockets go on.
 *
 * @returns the times of all limits that were set, in milliseconds
 */
export function freezeClock(): () => number[] {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    vi.spyOn(globalThis, "setTimeout");
  });
  afterEach(() => {
    // In this order: the spy keeps the function of the stopped clock.
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
  return () => vi.mocked(setTimeout).mock.calls.map(([, milliseconds = 0]) => milliseconds);
}

/** Waits, while the clock stands still, until a condition of the client holds. */
export async function until(server: TestServer, condition: () => boolean): Promise<void> {
  // Asking the server takes a turn of real input and output.
  while (!condition()) await server.state();
}

/** Waits, while the clock stands still, until the server has received a line that begins like this. */
export async function untilReceived(server: TestServer, start: string): Promise<void> {
  while (!(await server.state()).lines.some((line) => line.startsWith(start))) {
    // Each turn is one of real input and output.
  }
}

/** Whether some work has ended. */
export function watch<Result>(work: Promise<Result>): { work: Promise<Result>; readonly ended: boolean } {
  let ended = false;
  const end = () => {
    ended = true;
  };
  work.then(end, end);
  return {
    work,
    get ended() {
      return ended;
    },
  };
}
