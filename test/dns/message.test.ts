import { describe, expect, it } from "vitest";
import { encodeQuery, responseCode } from "../../src/dns/message.ts";

describe("encodeQuery", () => {
  it("encodes the example of RFC 8484 section 4.1.1", () => {
    expect(Buffer.from(encodeQuery("www.example.com")).toString("base64url")).toBe(
      "AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB",
    );
  });

  it("encodes the longest name and the longest labels", () => {
    const name = [63, 63, 63, 61].map((length) => "a".repeat(length)).join(".");
    // Header, the name with the length of each label and the root, type, class.
    expect(encodeQuery(name)).toHaveLength(12 + 255 + 4);
  });
});

describe("responseCode", () => {
  const header = (...flags: number[]) => Uint8Array.from([0, 0, ...flags, 0, 1, 0, 0, 0, 0, 0, 0]);

  it.each([
    ["no error", header(0x81, 0x80), 0],
    ["a server failure", header(0x81, 0x82), 2],
    ["a name that does not exist", header(0x81, 0x83), 3],
    ["more octets than the header", Uint8Array.from([...header(0x81, 0x83), 1, 2, 3]), 3],
    ["a query", header(0x01, 0x00), undefined],
    ["part of a header", header(0x81, 0x83).subarray(0, 11), undefined],
    ["nothing", new Uint8Array(), undefined],
  ])("reads %s", (_, message, code) => {
    expect(responseCode(message)).toBe(code);
  });
});
