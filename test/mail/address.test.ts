import { describe, expect, it, vi } from "vitest";
import { emailAddressProblem } from "../../src/mail/address.ts";

const NOT_AN_ADDRESS = 'must be an email address such as "sender@example.com"';

/** A domain of this length, in labels of at most 50 characters. */
function domainOf(length: number): string {
  const labels = "a".repeat(length - 4).replace(/a{50}(?=a)/g, (label) => `${label.slice(1)}.`);
  return `${labels}.com`;
}

describe("emailAddressProblem", () => {
  it.each([
    "sender@example.com",
    "a@b.co",
    "first.last+tag@mail.example.com",
    "!#$%&'*+-/=?^_`{|}~@example.com",
    "1@example.com",
    "UPPER@EXAMPLE.COM",
    "jürgen@münchen.example",
    "用户@例子.广告",
    "sender@xn--mnchen-3ya.example",
    "e\u0301mile@example.com",
    '"a..b"@docomo.example.jp',
    '".a."@example.com',
    '"a b, c; (d) @ e"@example.com',
    '"a \\"quoted\\" \\\\ b"@example.com',
    '"jürgen..m"@example.com',
  ])("accepts %s", (address) => {
    expect(emailAddressProblem(address)).toBeUndefined();
  });

  it.each([
    ["without an @", "sender.example.com"],
    ["without a local part", "@example.com"],
    ["without a domain", "sender@"],
    ["with two @", "a@b@example.com"],
    ["with a dot at the start", ".sender@example.com"],
    ["with a dot before the @", "sender.@example.com"],
    ["with two dots in a row", "a..b@example.com"],
    ["with a dot before the domain", "sender@.example.com"],
    ["with two dots in the domain", "sender@example..com"],
    ["with a dot at the end", "sender@example.com."],
    ["with an ideographic dot at the end", "sender@example.com。"],
    ["with a single-label domain", "sender@localhost"],
    ["with an IPv4 address as domain", "sender@192.0.2.1"],
    ["with an IPv4 address in hexadecimal", "sender@0x7f.1"],
    ["with an IPv6 address as domain", "sender@2001:db8::1"],
    ["with a domain literal", "sender@[192.0.2.1]"],
    ["with a quoted local part that is empty", '""@example.com'],
    ["with a quotation mark inside of others", '"a"b"@example.com'],
    ["with a quotation mark that does not end", '"ab@example.com'],
    ["with a backslash that quotes the last quotation mark", '"ab\\"@example.com'],
    ["that is quoted in part", 'a."b c"@example.com'],
    ["with an angle bracket in quotation marks, which may end a command", '"a> SIZE=1"@example.com'],
    ["with a quoted angle bracket", '"a\\>b"@example.com'],
    ["with a line break in quotation marks", '"a\r\nRSET"@example.com'],
    ["with a quoted line break", '"a\\\nb"@example.com'],
    ["with a tab in quotation marks", '"a\tb"@example.com'],
    ["that clients decode to another", "=?utf-8?Q?eve=40evil.example?=@example.com"],
    ["that is quoted, and that clients decode to another", '"=?utf-8?b?ZXZl?="@example.com'],
    ["that clients decode to another without its backslashes", '"\\=\\?utf-8\\?q\\?eve\\?="@example.com'],
    ["with an invisible letter", "ada\u3164@example.com"],
    ["with an invisible mark", "a\u034fda@example.com"],
    ["with an invisible selector in quotation marks", '"ada\ufe0f"@example.com'],
    ["with a space", "a b@example.com"],
    ["with a line break, which could add a header", "a@example.com\r\nBcc: b@example.com"],
    ["with LF before the @", "a\n@example.com"],
    ["with CR", "a@example.com\rBcc: b@example.com"],
    ["with NUL", "a\0@example.com"],
    ["with a zero-width space", "a\u200b@example.com"],
    ["with a bidirectional override", "a\u202e@example.com"],
    ["with a lone surrogate", "a\ud800@example.com"],
    ["with a lone surrogate in the domain", "a@ex\ud800mple.com"],
    ["with a display name", "Sender <sender@example.com>"],
    ["in angle brackets", "<sender@example.com>"],
    ["with a comment", "sender(comment)@example.com"],
    ["with a second address", "a@example.com,b@example.com"],
    ["with a second address after a semicolon", "a@example.com;b@example.com"],
    ["with a port", "sender@example.com:25"],
    ["with a path", "sender@example.com/x"],
    ["with an underscore in the domain", "sender@exa_mple.com"],
    ["with a hyphen at the domain's start", "sender@-example.com"],
    ["that is empty", ""],
    ["that is only an @", "@"],
  ])("rejects an address %s", (_, address) => {
    expect(emailAddressProblem(address)).toBe(NOT_AN_ADDRESS);
  });

  it("accepts at most 64 octets before the @", () => {
    expect(emailAddressProblem(`${"a".repeat(64)}@example.com`)).toBeUndefined();
    expect(emailAddressProblem(`${"a".repeat(65)}@example.com`)).toBe(
      "must have at most 64 octets before the @",
    );
  });

  it("counts octets before the @, not characters", () => {
    expect(emailAddressProblem(`${"ü".repeat(32)}@example.com`)).toBeUndefined();
    expect(emailAddressProblem(`${"ü".repeat(33)}@example.com`)).toBe(
      "must have at most 64 octets before the @",
    );
  });

  it("accepts at most 254 octets", () => {
    expect(emailAddressProblem(`${"a".repeat(60)}@${domainOf(193)}`)).toBeUndefined();
    expect(emailAddressProblem(`${"a".repeat(60)}@${domainOf(194)}`)).toBe("must have at most 254 octets");
  });

  it("counts octets, not characters", () => {
    const address = `${"ü".repeat(30)}@${domainOf(193)}`;
    expect(emailAddressProblem(address)).toBeUndefined();
    expect(emailAddressProblem(`ü${address.slice(1)}m`)).toBe("must have at most 254 octets");
  });

  it.each(["a".repeat(100_000), `${"a.".repeat(50_000)}@example.com`, `a@${"a.".repeat(50_000)}com`])(
    "rejects a huge address before any pattern and the URL parser read it (%#)",
    (address) => {
      const readers = [vi.spyOn(RegExp.prototype, "test"), vi.spyOn(URL, "parse")];
      const problem = emailAddressProblem(address);
      const reads = readers.flatMap(({ mock }) => mock.calls);
      vi.restoreAllMocks();
      expect(problem).toBe("must have at most 254 octets");
      expect(reads).toEqual([]);
    },
  );
});
