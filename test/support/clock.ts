import { vi } from "vitest";

/** Advances the clock, and stops it there. Timers keep running in real time. */
export function advanceClock(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}

/** Restores the real clock. */
export function restoreClock(): void {
  vi.useRealTimers();
}

/** The time in this many milliseconds, as a status shows it. */
export function isoIn(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}
