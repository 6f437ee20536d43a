import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadline, TimeoutError } from "../../src/smtp/deadline.ts";

const endless = () => new Promise<never>(() => {});
const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds, "done"));

/** The outcome of work once the clock has advanced. */
async function outcomeAfter(milliseconds: number, work: Promise<unknown>): Promise<unknown> {
  let outcome: unknown = "pending";
  work.then(
    (result) => {
      outcome = result;
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  await vi.advanceTimersByTimeAsync(milliseconds);
  return outcome;
}

describe("Deadline", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("returns the result of work that ends in time", async () => {
    expect(await outcomeAfter(499, new Deadline(1_000).guard(after(499), 500))).toBe("done");
  });

  it("rethrows the error of work that fails in time", async () => {
    const work = new Deadline(1_000).guard(Promise.reject(new RangeError("own")), 500);
    expect(await outcomeAfter(0, work)).toBeInstanceOf(RangeError);
  });

  it("ends work at its limit, and no earlier", async () => {
    const work = new Deadline(5_000).guard(endless(), 30);
    expect(await outcomeAfter(29, work)).toBe("pending");
    expect(await outcomeAfter(1, work)).toBeInstanceOf(TimeoutError);
  });

  it("replaces the rest of the limit on restart", async () => {
    const deadline = new Deadline(5_000);
    const work = deadline.guard(endless(), 200);
    await vi.advanceTimersByTimeAsync(150);
    deadline.restart(100);
    expect(await outcomeAfter(99, work)).toBe("pending");
    expect(await outcomeAfter(1, work)).toBeInstanceOf(TimeoutError);
  });

  it("ends work when the total expires, however often it restarts", async () => {
    const deadline = new Deadline(100);
    const work = deadline.guard(endless(), 1_000);
    const restarts = setInterval(() => deadline.restart(1_000), 20);
    expect(await outcomeAfter(99, work)).toBe("pending");
    expect(await outcomeAfter(1, work)).toBeInstanceOf(TimeoutError);
    clearInterval(restarts);
  });

  it("stays expired", async () => {
    const deadline = new Deadline(100);
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcomeAfter(0, deadline.guard(endless(), 1_000))).toBeInstanceOf(TimeoutError);
  });

  it("no longer limits work that has ended", async () => {
    const deadline = new Deadline(5_000);
    await outcomeAfter(10, deadline.guard(after(10), 30));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcomeAfter(10, deadline.guard(after(10), 30))).toBe("done");
  });

  it("does not expire because of a restart while nothing waits", async () => {
    const deadline = new Deadline(5_000);
    deadline.restart(30);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcomeAfter(10, deadline.guard(after(10), 30))).toBe("done");
  });

  it("ends nothing after it has stopped", async () => {
    const deadline = new Deadline(50);
    const work = deadline.guard(after(150), 30);
    deadline.stop();
    expect(await outcomeAfter(150, work)).toBe("done");
    expect(vi.getTimerCount()).toBe(0);
  });
});
