import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/errors.ts";
import { assertIfMatch, assertPreconditions, setETag } from "../../src/http/etag.ts";

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

describe("assertPreconditions, with If-None-Match", () => {
  const assertNoneMatch = (ifNoneMatch: string, version: string | undefined) =>
    assertPreconditions({ ifMatch: undefined, ifNoneMatch }, version);

  it.each([
    ["the version", `"${VERSION}"`],
    ["the version as a weak tag", `W/"${VERSION}"`],
    ["any version", "*"],
    ["any version, among spaces", " * "],
    ["a list with the version", `"x", "${VERSION}",W/"y"`],
    ["a list with the version as a weak tag", `"x",W/"${VERSION}"`],
  ])("rejects %s", (_, ifNoneMatch) => {
    expect(() => assertNoneMatch(ifNoneMatch, VERSION)).toThrow(new ApiError("already_stored"));
  });

  it.each([
    ["another version", '"made-up"'],
    ["the start of the version", `"${VERSION.slice(0, -1)}"`],
    ["the version without quotes", VERSION],
    ["* in quotes", '"*"'],
    ["a list without the version", '"made-up", W/"x"'],
    ["nothing", ""],
  ])("accepts %s", (_, ifNoneMatch) => {
    expect(() => assertNoneMatch(ifNoneMatch, VERSION)).not.toThrow();
  });

  it.each(["*", '"made-up"', '"undefined"', ""])("accepts %j if nothing is stored", (ifNoneMatch) => {
    expect(() => assertNoneMatch(ifNoneMatch, undefined)).not.toThrow();
  });
});

describe("assertPreconditions, with both headers", () => {
  it.each([
    ["the version", "another", `"${VERSION}"`, '"made-up"', undefined],
    ["the version", "the version", `"${VERSION}"`, `"${VERSION}"`, "already_stored"],
    ["the version", "*", `"${VERSION}"`, "*", "already_stored"],
    ["another", "another", '"made-up"', '"made-up"', "precondition_failed"],
    ["another", "the version", '"made-up"', `"${VERSION}"`, "precondition_failed"],
    ["another", "*", '"made-up"', "*", "precondition_failed"],
  ] as const)("evaluates If-Match first: %s, then %s", (_, __, ifMatch, ifNoneMatch, kind) => {
    const evaluate = () => assertPreconditions({ ifMatch, ifNoneMatch }, VERSION);
    if (kind === undefined) expect(evaluate).not.toThrow();
    else expect(evaluate).toThrow(new ApiError(kind));
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
