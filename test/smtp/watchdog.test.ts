import { describe, expect, it } from "vitest";
import { TimeoutError, Watchdog } from "../../src/smtp/watchdog.ts";

const never = () => new Promise<never>(() => {});
const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds, "done"));

describe("a watchdog", () => {
  it("hands on what work gives in time", async () => {
    const watchdog = new Watchdog(1_000);
    watchdog.allow(500);
    expect(await watchdog.guard(after(10))).toBe("done");
    watchdog.stop();
  });

  it("hands on what work fails with", async () => {
    const watchdog = new Watchdog(1_000);
    await expect(watchdog.guard(Promise.reject(new RangeError("own")))).rejects.toThrow(RangeError);
    watchdog.stop();
  });

  it("ends work that takes longer than was allowed", async () => {
    const watchdog = new Watchdog(5_000);
    watchdog.allow(30);
    const started = Date.now();
    await expect(watchdog.guard(never())).rejects.toThrow(TimeoutError);
    expect(Date.now() - started).toBeLessThan(1_000);
    watchdog.stop();
  });

  it("gives time anew, in place of what was left", async () => {
    const watchdog = new Watchdog(5_000);
    watchdog.allow(200);
    watchdog.allow(2_000);
    expect(await watchdog.guard(after(500))).toBe("done");
    watchdog.stop();
  });

  it("ends everything when the total is over, however often time is given anew", async () => {
    const watchdog = new Watchdog(100);
    const renewal = setInterval(() => watchdog.allow(1_000), 20);
    await expect(watchdog.guard(never())).rejects.toThrow(TimeoutError);
    clearInterval(renewal);
    watchdog.stop();
  });

  it("ends nothing once it is stopped", async () => {
    const watchdog = new Watchdog(50);
    watchdog.allow(30);
    watchdog.stop();
    expect(await watchdog.guard(after(150))).toBe("done");
  });
});
