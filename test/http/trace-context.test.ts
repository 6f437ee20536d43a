import { describe, expect, it } from "vitest";
import { validTraceparent } from "../../src/http/trace-context.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT_ID = "00f067aa0ba902b7";
const VALID = `00-${TRACE_ID}-${PARENT_ID}-01`;

describe("validTraceparent", () => {
  it.each([
    VALID,
    `00-${TRACE_ID}-${PARENT_ID}-00`,
    `00-${TRACE_ID}-${PARENT_ID}-ff`,
    `cc-${TRACE_ID}-${PARENT_ID}-01`,
  ])("accepts %j", (header) => {
    expect(validTraceparent(header)).toBe(header);
  });

  it("drops what a later version appends", () => {
    const later = VALID.replace("00", "01");
    expect(validTraceparent(`${later}-what-the-future-will-be-like`)).toBe(later);
  });

  it.each([
    ["no header", undefined],
    ["nothing", ""],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${PARENT_ID}-01`],
    ["a parent id of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
    ["the version ff", VALID.replace("00", "ff")],
    ["capital letters", VALID.toUpperCase()],
    ["a short trace id", `00-${TRACE_ID.slice(1)}-${PARENT_ID}-01`],
    ["a long parent id", `00-${TRACE_ID}-${PARENT_ID}0-01`],
    ["no flags", `00-${TRACE_ID}-${PARENT_ID}`],
    ["flags of one character", VALID.slice(0, -1)],
    ["another member in version 00", `${VALID}-01`],
    ["another character in version 00", `${VALID}0`],
    ["another character in a later version", `${VALID.replace("00", "01")}0`],
    ["two lines, joined", `${VALID}, ${VALID}`],
    ["text before it", `x${VALID}`],
    ["a line break after it", `${VALID}\n`],
    ["an access token", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"],
  ])("rejects %s", (_, header) => {
    expect(validTraceparent(header)).toBeUndefined();
  });
});
