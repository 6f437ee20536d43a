import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact } from "../src/redact.ts";

const secret = `p@ss "wörd" <1> & 'x/y+z'=%`;

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
const percent = (text: string, isEncoded: RegExp) =>
  [...Buffer.from(text, "utf8")]
    .map((byte: number) => {
      const character = String.fromCharCode(byte);
      const hex = byte.toString(16).padStart(2, "0").toUpperCase();
      return byte > 127 || isEncoded.test(character) ? `%${hex}` : character;
    })
    .join("");

const references = (form: (code: number) => string) =>
  Array.from(secret, (character) =>
    /[\w ]/.test(character) ? character : form(character.codePointAt(0) ?? 0),
  ).join("");
const html = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function redacted(text: string): string {
  return redact(text, [secret], 4_096);
}

describe("a secret is redacted", () => {
  it.each([
    ["as it is", secret],
    ["as a part of an address encodes it", encodeURIComponent(secret)],
    ["as an address encodes it", encodeURI(secret)],
    ["percent-encoded in lower case", percent(secret, /[^\w]/).toLowerCase()],
    ["percent-encoded, each byte", percent(secret, /./)],
    ["as a form encodes it", new URLSearchParams({ "": secret }).toString().slice(1)],
    ["as HTML", html],
    ["as HTML in an attribute", html.replaceAll('"', "&quot;").replaceAll("'", "&apos;")],
    ["as HTML with decimal references", references((code) => `&#${code};`)],
    ["as HTML with padded references", references((code) => `&#${String(code).padStart(4, "0")};`)],
    ["as HTML with hexadecimal references", references((code) => `&#x${code.toString(16)};`)],
    ["as JSON", JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/")],
    ["as JSON in ASCII", JSON.stringify(secret).slice(1, -1).replaceAll("ö", "\\u00f6")],
    ["as quoted-printable", percent(secret, /[^\w ]/).replaceAll("%", "=")],
    [
      "as an encoded word",
      percent(secret, /[^\w ]/)
        .replaceAll("%", "=")
        .replaceAll(" ", "_"),
    ],
    ["read as ISO 8859-1", Buffer.from(secret, "utf8").toString("latin1")],
    ["over several lines", `${secret.slice(0, 10)}\r\n${secret.slice(10)}`],
  ])("spelled %s", (_, spelled) => {
    expect(redacted(`the "${spelled}" is wrong`)).toBe('the "***" is wrong');
  });

  it.each(["", "c", "cl", "cli", "client-1:"])("in base64 with %j before it", (before) => {
    const digitsBefore = base64(before).slice(0, Math.floor((before.length * 8) / 6));
    for (const after of ["", ".", "..", "..."]) {
      const encoded = base64(before + secret + after);
      const inUrl = encoded.replaceAll("+", "-").replaceAll("/", "_");
      for (const spelled of [encoded, encoded.replace(/=+$/, ""), inUrl, encodeURIComponent(encoded)]) {
        const [left, right = ""] = redacted(`got ${spelled} instead`).split("***");
        expect(`got ${digitsBefore}`).toContain(left);
        expect(right).toMatch(/^\w{0,4}(=|%3D){0,2} instead$/);
      }
    }
  });

  it("in base64 over several lines, without what follows", () => {
    const encoded = base64(secret);
    const text = `535-got ${encoded.slice(0, 20)}\r\n535-${encoded.slice(20)}\r\n535 end`;
    expect(redact(text, [secret], 4_096, { kept: /^\d{3}[ -]/gm })).toBe("535-got ***\r\n535 end");
  });

  it("once, if it contains another", () => {
    expect(redact("no \0ada\0pass here", ["pass", "\0ada\0pass"], 100)).toBe("no *** here");
  });

  it("as far as it is repeated, if that is 32 bytes or more", () => {
    const long = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(100);
    expect(redact(`${long.slice(0, 500)}... is wrong`, [long], 4_096)).toBe("***... is wrong");
    expect(redact(`${base64(long).slice(0, 500)}... is wrong`, [long], 4_096)).toBe("***... is wrong");
    expect(redact(`${long.slice(0, 31)}... is wrong`, [long], 4_096)).not.toContain("*");
  });

  it.each([0, 1, 500, 999])("as a whole, although the text is cut after %i characters of it", (length) => {
    const long = "x1y2".repeat(300);
    const text = redact(`${"-".repeat(100)}${long} is wrong`, [long], 100 + length);
    expect(text).toBe("-".repeat(100) + (length > 0 ? "***" : ""));
  });

  it("whatever surrounds it, spelled well or badly", () => {
    const parts = [
      "\\",
      "u00",
      "U00e9",
      "N",
      "&#",
      "x110000",
      ";",
      "%4",
      "=",
      "_",
      "\r\n",
      "ö",
      "\ud800",
      "abc",
    ];
    const text = fc.array(fc.constantFrom(...parts, "s3cret")).map((list) => list.join(""));
    fc.assert(
      fc.property(text, fc.nat(200), (around, maxLength) => {
        expect(redact(around, ["s3cret"], maxLength)).not.toContain("s3cret");
      }),
    );
  });

  it("but neither is a word that only resembles it, nor what is kept", () => {
    const text = "535 5.7.8 Error: &bogus; 100% of + and \\ and =3 stay: 5";
    expect(redact(text, ["no such secret", ""], 4_096)).toBe(text);
    expect(redact("535 is 535", ["535"], 100, { kept: /^\d{3}/ })).toBe("535 is ***");
  });
});
