import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIpAddress, isPublicDestination, parseHost } from "../../src/mail/host.ts";

/** The normalized form of a valid host. */
function hostOf(text: string): string {
  const parsed = parseHost(text);
  return "host" in parsed ? parsed.host : `invalid: ${parsed.problem}`;
}

describe("parseHost", () => {
  it.each([
    ["smtp.example.com", "smtp.example.com"],
    ["SMTP.Example.COM", "smtp.example.com"],
    ["smtp.example.com.", "smtp.example.com"],
    ["email-smtp.eu-west-1.amazonaws.com", "email-smtp.eu-west-1.amazonaws.com"],
    ["3com.example", "3com.example"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example", "xn--bcher-kva.example"],
    ["bu\u0308cher.example", "xn--bcher-kva.example"],
    ["例え。テスト", "xn--r8jz45g.xn--zckzah"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["ｓｍｔｐ．ｅｘａｍｐｌｅ．ｃｏｍ", "smtp.example.com"],
    ["mailhost", "mailhost"],
    ["8.8.8.8", "8.8.8.8"],
    ["134744072", "8.8.8.8"],
    ["0x08.010.8.8", "8.8.8.8"],
    ["2606:4700:4700:0:0:0:0:1111", "2606:4700:4700::1111"],
    ["[2606:4700:4700::1111]", "2606:4700:4700::1111"],
    ["2606:4700:4700::ABCD", "2606:4700:4700::abcd"],
    ["::ffff:8.8.8.8", "::ffff:808:808"],
  ])("normalizes %s to %s", (text, host) => {
    expect(parseHost(text)).toEqual({ host });
  });

  it.each(["smtp.example.com", "BÜCHER.example", "例え。テスト", "0x08.010.8.8", "[2606:4700::1]"])(
    "does not change its own result for %s",
    (text) => {
      const host = hostOf(text);
      expect(parseHost(host)).toEqual({ host });
    },
  );

  it.each([
    "a b",
    "a\tb",
    "a\nb",
    "smtp.example.com\r\n",
    "a\0b",
    "a\u200bb",
    "a\u00adb",
    "a\u202eb",
    "a\u3000b",
  ])("rejects spaces and control characters: %j", (text) => {
    expect(parseHost(text)).toEqual({ problem: "must not contain spaces or control characters" });
  });

  it.each(["https://smtp.example.com", "smtp://a.example", "a.example/", "a.example/path", "//a.example"])(
    "rejects a scheme or path: %s",
    (text) => {
      const problem = 'must be a bare host name such as "smtp.example.com", without a scheme or path';
      expect(parseHost(text)).toEqual({ problem });
    },
  );

  it.each([
    "smtp.example.com:587",
    "8.8.8.8:25",
    "[2606:4700::1]:587",
    "a.example:",
    ":587",
    "user:secret@a.example",
    "fe80::1%eth0",
    "1::2::3",
    "12345::",
    "[::1",
    "::1]",
    "[[::1]]",
  ])("rejects a port and a malformed IPv6 address: %s", (text) => {
    const problem = "must be a host name or an IP address, without a port";
    expect(parseHost(text)).toEqual({ problem });
  });

  it.each([
    "",
    ".",
    "..",
    ".example.com",
    "a..example",
    "example.com..",
    "-a.example",
    "a-.example",
    "a_b.example",
    "user@a.example",
    "a.example?x",
    "a.example#x",
    "a\\b.example",
    "%6cocalhost",
    "a,b.example",
    "a.example;",
    "*.example.com",
    "$(id).example",
    "a'b.example",
    '"a".example',
    "1.2.3.4.5",
    "256.256.256.256",
    "1.2.3.999",
    "4294967296",
    "0x100000000",
    "08.1.1.1",
    "a.1",
    "xn--",
    "[8.8.8.8]",
    "[a.example]",
    "a\ud800.example",
    "📧.example@",
  ])("rejects %j as a host name", (text) => {
    expect(parseHost(text)).toEqual({
      problem: 'must be a host name such as "smtp.example.com", or an IP address',
    });
  });

  it("accepts a label of at most 63 characters", () => {
    expect(hostOf(`${"a".repeat(63)}.example`)).toBe(`${"a".repeat(63)}.example`);
    expect(parseHost(`${"a".repeat(64)}.example`)).toHaveProperty("problem");
  });

  it("accepts a name of at most 253 characters", () => {
    const longest = ["a", "b", "c", "d", "e"]
      .map((letter) => `${letter.repeat(49)}.`)
      .join("")
      .concat("com");
    expect(hostOf(longest)).toBe(longest);
    expect(hostOf(`${longest}.`)).toBe(longest);
    expect(parseHost(`a${longest}`)).toHaveProperty("problem");
  });

  it("never changes its own result, so a host has one form only", () => {
    const character = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
      fc.constantFrom(..."ab01.-x"),
    );
    const anyText = fc.string({ unit: character, minLength: 1, maxLength: 12 });
    const property = fc.property(fc.oneof(anyText, fc.ipV6(), fc.webAuthority()), (text) => {
      const parsed = parseHost(text);
      if ("host" in parsed) expect(parseHost(parsed.host)).toEqual(parsed);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("limits the punycode of an IDN", () => {
    expect(parseHost(`${"ü".repeat(63)}.example`)).toHaveProperty("problem");
  });
});

describe("isIpAddress", () => {
  it.each(["8.8.8.8", "::1", "2606:4700::1111"])("accepts %s", (host) => {
    expect(isIpAddress(host)).toBe(true);
  });

  it.each(["smtp.example.com", "localhost", "a.1x"])("rejects %s", (host) => {
    expect(isIpAddress(host)).toBe(false);
  });
});

describe("isPublicDestination", () => {
  it.each([
    "smtp.example.com",
    "bücher.example",
    "localhost.example.com",
    "internal.example.com",
    "local.example",
    "8.8.8.8",
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::5",
  ])("accepts %s", (text) => {
    expect(isPublicDestination(hostOf(text))).toBe(true);
  });

  it.each([
    ["this network (RFC 791)", ["0.0.0.0", "0.255.255.255", "0"]],
    ["private networks (RFC 1918)", ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255"]],
    ["more private networks (RFC 1918)", ["192.168.0.1", "192.168.255.255"]],
    ["carrier-grade NAT (RFC 6598)", ["100.64.0.1", "100.127.255.255"]],
    ["loopback (RFC 1122)", ["127.0.0.1", "127.0.0.53", "127.255.255.255"]],
    ["link-local addresses, including cloud metadata (RFC 3927)", ["169.254.0.1", "169.254.169.254"]],
    ["protocol assignments (RFC 6890)", ["192.0.0.1", "192.0.0.170"]],
    ["documentation (RFC 5737)", ["192.0.2.1", "198.51.100.1", "203.0.113.1"]],
    ["6to4 relays (RFC 7526)", ["192.88.99.1"]],
    ["benchmarks (RFC 2544)", ["198.18.0.1", "198.19.255.255"]],
    ["multicast (RFC 5771)", ["224.0.0.1", "239.255.255.255"]],
    ["reserved (RFC 1112) and broadcast", ["240.0.0.1", "255.255.255.254", "255.255.255.255"]],
  ])("rejects %s", (_, addresses) => {
    for (const address of addresses)
      expect([address, isPublicDestination(hostOf(address))]).toEqual([address, false]);
  });

  it.each([
    ["decimal", ["2130706433", "167772161", "2852039166"]],
    ["octal", ["0177.0.0.1", "0177.0.0.01", "017700000001", "012.0.0.1"]],
    ["hexadecimal", ["0x7f.0.0.1", "0x7F000001", "0x7f.1", "0xa9fea9fe", "0x0a.0x0.0x0.0x1"]],
    ["short forms", ["127.1", "127.0.1", "10.1", "192.168.257", "0"]],
    ["fullwidth digits", ["１２７.0.0.1", "１２７．０．０．１", "２１３０７０６４３３", "０ｘ７ｆ.1"]],
    ["other digits", ["①②⑦.0.0.1", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "¹²⁷.0.0.1"]],
    ["ideographic dots", ["127。0。0。1", "127｡0｡0｡1"]],
    ["a trailing dot", ["127.0.0.1.", "10.0.0.1."]],
  ])("rejects a private IPv4 address in %s", (_, spellings) => {
    for (const text of spellings) {
      expect(hostOf(text)).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect([text, isPublicDestination(hostOf(text))]).toEqual([text, false]);
    }
  });

  it.each([
    ["loopback and unspecified", ["::1", "[::1]", "0:0:0:0:0:0:0:1", "::", "[::]", "0::0"]],
    ["link-local and site-local", ["fe80::1", "febf::1", "fec0::1"]],
    ["unique local (RFC 4193)", ["fc00::1", "fd12:3456:789a::1"]],
    ["multicast", ["ff02::1", "ff0e::1"]],
    ["IPv4-mapped", ["::ffff:127.0.0.1", "::ffff:7f00:1", "[::ffff:10.0.0.1]", "::ffff:8.8.8.8"]],
    ["IPv4-compatible", ["::127.0.0.1", "::7f00:1", "::8.8.8.8"]],
    ["IPv4-translated (RFC 2765)", ["::ffff:0:127.0.0.1"]],
    ["NAT64 (RFC 6052, RFC 8215)", ["64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1"]],
    ["6to4 (RFC 3056)", ["2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1"]],
    ["Teredo (RFC 4380)", ["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"]],
    ["documentation (RFC 3849, RFC 9637)", ["2001:db8::1", "3fff::1", "3fff:fff::1"]],
    ["protocol assignments (RFC 2928)", ["2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1"]],
    ["discard-only (RFC 6666)", ["100::1"]],
    ["the 6bone (RFC 3701)", ["3ffe::1", "3ffe:ffff::1"]],
    ["addresses never assigned", ["1::1", "4000::1", "5f00::1", "e000::1"]],
  ])("rejects IPv6 %s", (_, spellings) => {
    for (const text of spellings) {
      expect(hostOf(text)).toMatch(/^[\da-f:]+$/);
      expect([text, isPublicDestination(hostOf(text))]).toEqual([text, false]);
    }
  });

  it.each([
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ｌｏｃａｌｈｏｓｔ",
    "ℓocalhost",
    "foo.localhost",
    "a.b.localhost",
    "localhost.localdomain",
    "printer.local",
    "smtp.LOCAL.",
    "metadata.google.internal",
    "smtp.internal",
    "smtp.home.arpa",
    "a.onion",
    "a.invalid",
    "mailhost",
    "intranet",
    "ip6-localhost",
    "xn--bcher-kva",
  ])("rejects the name %s", (text) => {
    expect(hostOf(text)).toMatch(/^[a-z\d.-]+$/);
    expect(isPublicDestination(hostOf(text))).toBe(false);
  });
});
