import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KvError, withRetries } from "../../src/storage/kv.ts";
import { TOO_MANY_REQUESTS } from "../support/faulty-kv.ts";
import { skipRetryWaits } from "../support/retry-waits.ts";

describe("withRetries", () => {
  let waits: number[];
  beforeEach(() => {
    waits = skipRetryWaits();
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("returns the result of the operation", async () => {
    expect(await withRetries(async () => "value")).toBe("value");
    expect(waits).toEqual([]);
  });

  it("retries after a 429, with growing delays", async () => {
    const operation = failing(TOO_MANY_REQUESTS, 2);
    expect(await withRetries(operation)).toBe("value");
    expect(operation).toHaveBeenCalledTimes(3);
    expect(waits).toEqual([400, 1_100]);
  });

  it("gives up after three retries within five seconds", async () => {
    const operation = failing(TOO_MANY_REQUESTS);
    await expect(withRetries(operation)).rejects.toMatchObject({ message: TOO_MANY_REQUESTS, status: 429 });
    expect(operation).toHaveBeenCalledTimes(4);
    expect(waits).toEqual([400, 1_100, 1_600]);
  });

  it("retries as often as it is given delays", async () => {
    const operation = failing(TOO_MANY_REQUESTS);
    await expect(withRetries(operation, [])).rejects.toBeInstanceOf(KvError);
    expect(operation).toHaveBeenCalledTimes(1);
    await expect(withRetries(operation, [7])).rejects.toBeInstanceOf(KvError);
    expect(operation).toHaveBeenCalledTimes(1 + 2);
    expect(waits).toEqual([7]);
  });

  it.each([
    ["KV GET failed: 500 Internal Server Error", 500],
    ["KV GET failed: 400 Bad Request", 400],
    ["Network connection lost.", undefined],
    ["KV PUT failed: 4290 Unknown", undefined],
  ])("does not retry after %j", async (message, status) => {
    const operation = failing(message);
    await expect(withRetries(operation)).rejects.toMatchObject({ name: "KvError", message, status });
    expect(operation).toHaveBeenCalledTimes(1);
  });

  it("quotes nothing that is not an error", async () => {
    await expect(withRetries(() => Promise.reject("secret"))).rejects.toMatchObject({
      name: "KvError",
      message: "unknown",
      status: undefined,
    });
  });
});

/** An operation whose first calls fail. */
function failing(message: string, times = Number.POSITIVE_INFINITY) {
  let calls = 0;
  return vi.fn(async () => {
    if (++calls <= times) throw new Error(message);
    return "value";
  });
}
