import { describe, expect, it } from "vitest";
import { isCompactJws } from "../../src/auth/compact-jws.ts";

describe("isCompactJws", () => {
  it.each(["YWJj.YQ.YWI", "e30.e30.AAAA", "-_-_.YQ.YQ"])("accepts %j", (text) => {
    expect(isCompactJws(text)).toBe(true);
  });

  it.each([
    ["two parts", "YQ.YQ"],
    ["four parts", "YQ.YQ.YQ.YQ"],
    ["a part of one character", "YQ.Y.YQ"],
    ["padding", "YQ==.YQ.YQ"],
    ["the other alphabet", "+_-_.YQ.YQ"],
    ["a tab", "YQ\t.YQ.YQ"],
    ["a space at the end", "YQ.YQ.YQ "],
    ["four spare bits", "YR.YQ.YQ"],
    ["two spare bits", "YQ.YWJ.YQ"],
    ["spare bits in the signature", "YQ.YQ.YWJ"],
  ])("rejects %s", (_, text) => {
    expect(isCompactJws(text)).toBe(false);
  });
});
