import { vi } from "vitest";

/** Replaces the waits between retries by none, and records them, in milliseconds. */
export function skipRetryWaits(): number[] {
  const waits: number[] = [];
  vi.spyOn(scheduler, "wait").mockImplementation(async (milliseconds) => {
    waits.push(milliseconds);
  });
  return waits;
}
