import { describe, expect, it } from "vitest";
import { historyQuerySchema } from "../../src/history/schema.ts";
import { invalidFields } from "../../src/http/validation.ts";

describe("historyQuerySchema", () => {
  it("limits a page to 50 entries by default", () => {
    expect(historyQuerySchema.parse({})).toEqual({ limit: 50 });
  });

  it.each([
    ["1", 1],
    ["50", 50],
    ["999", 999],
    ["1000", 1_000],
  ])("accepts limit %j", (text, limit) => {
    expect(historyQuerySchema.parse({ limit: text, cursor: "next" })).toEqual({ limit, cursor: "next" });
  });

  it.each(["0", "-1", "1001", "10000", "1.5", "abc", "", " 1", "1 ", "1e2", "0x10", "007", ["1", "2"]])(
    "rejects limit %j",
    (limit) => {
      expect(errorsOf({ limit })).toEqual([
        { field: "limit", message: "must be a whole number from 1 to 1000" },
      ]);
    },
  );

  it("rejects two cursors", () => {
    expect(errorsOf({ cursor: ["a", "b"] })).toEqual([
      { field: "cursor", message: "must be the cursor of the previous page" },
    ]);
  });
});

function errorsOf(query: unknown) {
  return invalidFields(historyQuerySchema.safeParse(query).error?.issues ?? []).details.errors;
}
