import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/errors.ts";
import { assertIfMatch, setETag } from "../../src/http/etag.ts";

const VERSION = "0f1e2d3c";

describe("assertIfMatch", () => {
  it.each([
    ["the version", `"${VERSION}"`],
    ["any version", "*"],
    ["a list with the version", `"x", "${VERSION}",W/"y"`],
    ["a list without spaces", `"x","${VERSION}"`],
    ["the version among spaces", ` "${VERSION}"\t`],
  ])("accepts %s", (_, ifMatch) => {
    expect(() => assertIfMatch(ifMatch, VERSION)).not.toThrow();
  });

  it.each([
    ["another version", '"made-up"'],
    ["the start of the version", `"${VERSION.slice(0, -1)}"`],
    ["the version without quotes", VERSION],
    ["the version as a weak tag", `W/"${VERSION}"`],
    ["* in quotes", '"*"'],
    ["a list without the version", '"made-up", "x"'],
    ["nothing", ""],
  ])("rejects %s", (_, ifMatch) => {
    expect(() => assertIfMatch(ifMatch, VERSION)).toThrow(new ApiError("precondition_failed"));
  });

  it.each(["*", '"made-up"', '"undefined"', ""])("rejects %j if nothing is stored", (ifMatch) => {
    expect(() => assertIfMatch(ifMatch, undefined)).toThrow(new ApiError("precondition_failed"));
  });

  it.each([VERSION, undefined])("accepts a request without If-Match, whatever is stored (%s)", (version) => {
    expect(() => assertIfMatch(undefined, version)).not.toThrow();
  });
});

describe("setETag", () => {
  it("sets a strong tag, and forbids transforming the response", async () => {
    const app = new Hono().get("/", (c) => {
      setETag(c, VERSION);
      return c.text("");
    });
    const { headers } = await app.request("/");
    expect(headers.get("ETag")).toBe(`"${VERSION}"`);
    expect(headers.get("Cache-Control")).toBe("no-store, no-transform");
  });
});
