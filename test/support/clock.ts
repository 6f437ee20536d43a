import { vi } from "vitest";

/** Moves the clock by so many milliseconds from now on. It stands still then; timers go on by the true one. */
export function advanceClock(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}

/** Gives the true clock back. */
export function restoreClock(): void {
  vi.useRealTimers();
}
