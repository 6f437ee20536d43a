import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { ReplyReader } from "../../src/smtp/reply-reader.ts";

/** The replies in some chunks, read one after the other. */
function read(...chunks: (string | Uint8Array)[]): string[] {
  const reader = new ReplyReader();
  return chunks.flatMap((chunk) => reader.read(typeof chunk === "string" ? Buffer.from(chunk) : chunk));
}

describe("ReplyReader", () => {
  it.each([
    ["returns one reply", "250 ok\r\n", ["250 ok"]],
    ["returns several replies", "250 ok\r\n550 5.1.1 no\r\n354 go\r\n", ["250 ok", "550 5.1.1 no", "354 go"]],
    ["joins the lines of a reply", "250-mx\r\n250-SIZE\r\n250 HELP\r\n", ["250-mx\n250-SIZE\n250 HELP"]],
    ["accepts a code without text", "250\r\n", ["250"]],
    ["accepts a line that ends in LF", "250 ok\n", ["250 ok"]],
    ["keeps a CR within a line", "250 a\rb\r\n", ["250 a\rb"]],
    ["skips empty lines", "\r\n\r\n250 ok\r\n \r\n", ["250 ok"]],
    ["returns a line that is no reply", "rubbish\r\n", ["rubbish"]],
    ["ends a reply at a line without code", "250-mx\r\nrubbish\r\n", ["250-mx\nrubbish"]],
    ["waits for the end of a line", "250 ok", []],
    ["waits for the last line of a reply", "250-mx\r\n", []],
  ])("%s", (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it("returns the same replies for any chunks", () => {
    const text = "220 mx.example.net\r\n250-mx\r\n250-größe\r\n250 HELP\r\n\r\n550 nö\r\n";
    const bytes = Buffer.from(text);
    const cuts = fc.uniqueArray(fc.nat(bytes.length), { maxLength: bytes.length });
    fc.assert(
      fc.property(cuts, (positions) => {
        const edges = [0, ...positions.toSorted((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        expect(read(...chunks)).toEqual(["220 mx.example.net", "250-mx\n250-größe\n250 HELP", "550 nö"]);
      }),
    );
  });

  it.each([
    ["a rejection without CRLF", "550 5.1.1 no", ["550 5.1.1 no"]],
    [
      "the last line of a rejection without CRLF",
      "550-5.1.1 no\r\n550 5.1.1 nö",
      ["550-5.1.1 no\n550 5.1.1 nö"],
    ],
    ["a complete reply", "550 no\r\n", []],
    ["a positive reply without CRLF", "250 ok", []],
    ["the beginning of a code", "55", []],
    ["a rejection without its last line", "550-no\r\n", []],
  ])("ends with %s", (_, text, expected) => {
    const reader = new ReplyReader();
    reader.read(Buffer.from(text));
    expect(reader.end()).toEqual(expected);
  });

  it("decodes UTF-8, and falls back to ISO 8859-1", () => {
    expect(read(Buffer.from("550 nö\r\n550 n\xf6\r\n", "latin1"))).toEqual(["550 nö", "550 nö"]);
    expect(read("550 nö\r\n")).toEqual(["550 nö"]);
  });

  it("keeps 16 Ki characters of a reply", () => {
    expect(read(`250-${"a".repeat(20_000)}\r\n250 ${"b".repeat(20_000)}\r\n250 ok\r\n`)).toEqual([
      `250-${"a".repeat(16 * 1024 - 4)}`,
      "250 ok",
    ]);
    expect(read(`250 ${"ö".repeat(20_000)}\r\n`)).toEqual([`250 ${"ö".repeat(16 * 1024 - 4)}`]);
  });

  it("reads a long line without rereading it for each chunk", () => {
    const length = 16 * 1024;
    const searches = (["split", "replace"] as const).map((method) => vi.spyOn(String.prototype, method));
    const reader = new ReplyReader();
    for (let index = 0; index < length; index++) reader.read(Buffer.from("2"));
    const replies = reader.read(Buffer.from("\r\n"));
    const searched = searches.flatMap(({ mock }) => mock.contexts.map((text) => String(text).length));
    vi.restoreAllMocks();
    expect(replies).toEqual(["2".repeat(length)]);
    // Each character once for the end of its line, once for the CR before it.
    expect(searched.reduce((sum, characters) => sum + characters)).toBeLessThan(3 * length);
  });
});
