import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LINE_MAX_CHARACTERS, mailSchema } from "../../src/delivery/schema.ts";
import { composeMessage } from "../../src/mail/message.ts";
import { encodeMailData } from "../../src/smtp/mail-data.ts";

/** Limit of a line without its CRLF, in octets (RFC 5322 section 2.1.1). */
const LINE_MAX_OCTETS = 998;

const longWord = "x".repeat(LINE_MAX_CHARACTERS);
const longId = `<${"x".repeat(LINE_MAX_CHARACTERS - 6)}@b.c>`;
const longUrl = `<https://a.example/${"x".repeat(LINE_MAX_CHARACTERS - 20)}>`;
const longAddress = `${"x".repeat(64)}@${"a.".repeat(93)}b.c`;

/** Texts of any length, also without a space. */
const text = (maxLength: number) =>
  fc.oneof(
    fc.string({ unit: fc.constantFrom("x", "é", "日"), minLength: Math.floor(maxLength / 2), maxLength }),
    fc.string({ unit: fc.constantFrom("x", " ", "-", "ü", "日"), minLength: 1, maxLength }),
    fc.tuple(fc.nat(maxLength - 2), fc.constantFrom(" ", '"', "=?")).map(([count, part]) => {
      return `x${part.repeat(count)}`.slice(0, maxLength - 1).concat("x");
    }),
  );

/** Texts with line breaks of any kind. */
const body = fc
  .array(fc.oneof(text(1_000), fc.constantFrom("\r", "\n", "\r\n", ".")), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(""));

/** The header of a composed message, and the lines of it all as a server receives them, by CRLF. */
function linesOf(mail: object, sender: object = {}): { header: string[]; sent: string[] } {
  const content = mailSchema.parse({ to: "reader@example.org", subject: "Hello", text: "Hello\n", ...mail });
  const messageId = "<id@example.com>";
  const { raw } = composeMessage({ from: "sender@example.com", ...sender }, { ...content, messageId });
  const [header = ""] = raw.toString("latin1").split("\r\n\r\n", 1);
  const sent = Buffer.from(encodeMailData(raw)).toString("latin1");
  return { header: header.split("\r\n"), sent: sent.split("\r\n") };
}

function expectLines({ header, sent }: ReturnType<typeof linesOf>): void {
  expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(LINE_MAX_OCTETS);
  expect([...header, ...sent].filter((line) => /[\r\n]/.test(line))).toEqual([]);
  expect(header.filter((line) => line.trim() === "")).toEqual([]);
}

describe("the lines of a message", () => {
  it.each<[string, object, object?]>([
    ["a subject without a space", { subject: longWord }],
    ["a subject whose only space comes late", { subject: `${"x".repeat(LINE_MAX_CHARACTERS - 2)} x` }],
    ["text without a line break", { text: longWord.repeat(10) }],
    ["HTML without a line break", { html: longWord.repeat(10) }],
    ["a long Message-ID", { headers: { "In-Reply-To": longId } }],
    ["a long reference", { headers: { References: longId } }],
    ["a long address to unsubscribe", { headers: { "List-Unsubscribe": longUrl } }],
    ["long addresses", { to: longAddress, replyTo: longAddress }, { from: longAddress }],
    ["a long display name", {}, { fromDisplayName: "x".repeat(255) }],
  ])("have at most 998 octets with %s", (_, mail, sender) => {
    expectLines(linesOf(mail, sender));
  });

  it("have at most 998 octets, and end with CRLF, whatever the texts are", () => {
    fc.assert(
      fc.property(text(LINE_MAX_CHARACTERS), body, text(255), (subject, body, fromDisplayName) => {
        const mail = {
          subject: `S${subject}`.slice(0, LINE_MAX_CHARACTERS),
          text: body,
          html: `<p>${body}</p>`,
        };
        expectLines(linesOf(mail, { fromDisplayName }));
      }),
      // Shrinking texts this long takes minutes.
      { endOnFailure: true },
    );
  });
});
