import { vi } from "vitest";

/**
 * Waits until an assertion holds, almost as long as a test may take: how fast the machine is says nothing.
 *
 * @returns the value of the assertion
 */
export function eventually<Value>(assertion: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(assertion, { timeout: 50_000, interval: 20 });
}
