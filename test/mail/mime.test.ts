import fc from "fast-check";
import MailComposer from "nodemailer/lib/mail-composer";
import { describe, expect, it } from "vitest";
import { serializeMime } from "../../src/mail/mime.ts";

interface Content {
  text?: string;
  html?: string;
}

/** A tree of parts, as `composeMessage` has it. */
function compile(content: Content) {
  return new MailComposer({
    from: { name: "Jörg", address: "sender@example.com" },
    to: "reader@example.org",
    subject: "Grüße",
    messageId: "<id@example.com>",
    date: new Date(0),
    newline: "win",
    ...content,
  }).compile();
}

/** A message with the same boundaries each time. */
function withoutBoundaries(message: string): string {
  const [, boundary] = /boundary="([^"]+)"/.exec(message) ?? [];
  return boundary === undefined ? message : message.replaceAll(boundary, "boundary");
}

async function expectSameAsNodemailer(content: Content): Promise<void> {
  const expected = (await compile(content).build()).toString("utf8");
  expect(withoutBoundaries(serializeMime(compile(content)))).toBe(withoutBoundaries(expected));
}

const word = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary-ascii" }),
  fc.constantFrom(
    " ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "=",
    ".",
    "\n.\n",
    "--",
    "ä",
    "日本語",
    "📧",
    "x".repeat(80),
    " \n",
  ),
);
const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(""));

describe("serializeMime", () => {
  it.each<[title: string, content: Content]>([
    ["a short text", { text: "Hello\n" }],
    ["a text without a final line break", { text: "Hello" }],
    ["a text that ends with CR", { text: "Hello\r" }],
    ["an empty text", { text: "" }],
    ["a long line, as quoted-printable", { text: `${"word ".repeat(100)}\n` }],
    ["some non-ASCII characters, as quoted-printable", { text: "größe über alles, so long\n" }],
    ["many non-ASCII characters, as base64", { text: "日本語の長い文章\n".repeat(20) }],
    ["HTML", { html: "<p>Hello</p>" }],
    ["text and HTML", { text: "Hällo\n", html: "<p>Hällo</p>\n<p>日本語の長い文章 日本語の長い文章</p>" }],
    ["mixed line breaks", { text: "a\nb\r\nc\rd\n\n", html: "<p>\n</p>\r\n" }],
  ])("writes %s like nodemailer", async (_, content) => {
    await expectSameAsNodemailer(content);
  });

  it("writes any texts like nodemailer", async () => {
    const optional = fc.option(text, { nil: undefined });
    await fc.assert(
      fc.asyncProperty(optional, optional, async (plain, html) => {
        await expectSameAsNodemailer({
          ...(plain === undefined ? {} : { text: plain }),
          ...(html === undefined ? {} : { html }),
        });
      }),
    );
  });

  it("rejects content that is no text", () => {
    const node = compile({ text: "Hello" }).setContent(Buffer.from("Hello"));
    expect(() => serializeMime(node)).toThrow("Only texts are supported");
  });
});
