import { describe, expect, it } from "vitest";
import { leastIdAt, MailIds } from "../../src/delivery/mail-id.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");

/** RFC 9562 section 5.7: version 7, variant 10. */
const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

function inOrder(ids: string[]): boolean {
  return ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? ""));
}

describe("an id of a mail", () => {
  it("is a UUID version 7 that begins with its time", () => {
    const id = new MailIds(undefined).next(NOW);
    expect(id).toMatch(UUID_V7);
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(NOW);
  });

  it("cannot be guessed from the one before it", () => {
    const ids = new MailIds(undefined);
    expect(ids.next(NOW).slice(19)).not.toBe(ids.next(NOW).slice(19));
  });

  it("is greater than all before it, even if the clock stands still or goes back", () => {
    const ids = new MailIds(undefined);
    const times = [...Array(5_000).fill(NOW), NOW - 60_000, NOW - 1, NOW, NOW + 1];
    const made = times.map((time) => ids.next(time));
    expect(inOrder(made)).toBe(true);
    expect(made.every((id) => UUID_V7.test(id))).toBe(true);
  });

  it("continues after the newest id of a previous instance", () => {
    const newest = new MailIds(undefined).next(NOW + 60_000);
    expect(new MailIds(newest).next(NOW) > newest).toBe(true);
  });

  it("is not less than the least of its time, and less than that of the next millisecond", () => {
    const id = new MailIds(undefined).next(NOW);
    expect(inOrder([leastIdAt(NOW - 1), leastIdAt(NOW), id, leastIdAt(NOW + 1)])).toBe(true);
  });
});
