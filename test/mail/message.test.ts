import PostalMime from "postal-mime";
import { describe, expect, it } from "vitest";
import { composeMessage, type MailContent, messageIdFor, type Sender } from "../../src/mail/message.ts";

const content: MailContent = {
  to: "reader@example.org",
  subject: "Hello",
  text: "in text\n",
  html: "<p>in HTML</p>",
  messageId: "<id-of-this-mail@example.com>",
};

/** A composed mail, with its unfolded header lines and its body. */
function compose(sender: Partial<Sender> = {}, changes: Partial<MailContent> = {}) {
  const message = composeMessage({ from: "sender@example.com", ...sender }, { ...content, ...changes });
  const raw = message.raw.toString("utf8");
  const end = raw.indexOf("\r\n\r\n");
  const header = raw.slice(0, end).replaceAll(/\r\n[ \t]+/g, " ");
  return { ...message, raw, header: header.split("\r\n"), body: raw.slice(end + 4) };
}

/** The header lines of one field. */
function fieldOf({ header }: { header: string[] }, name: string): string[] {
  return header.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
}

/** Decodes the encoded words of RFC 2047, and the quoted string of a display name. */
function decoded(line: string | undefined): string {
  return (line ?? "")
    .replaceAll(/=\?UTF-8\?([QB])\?([^?]*)\?=( (?==\?))?/gi, (_, encoding: string, text: string) =>
      encoding.toUpperCase() === "B"
        ? Buffer.from(text, "base64").toString("utf8")
        : decodeURIComponent(text.replaceAll("_", " ").replaceAll("%", "%25").replaceAll("=", "%")),
    )
    .replaceAll(/^([\w-]+: )"(.*)" </g, "$1$2 <")
    .replaceAll('\\"', '"');
}

describe("composeMessage", () => {
  it("uses envelopeFrom as MAIL FROM, and from in the header", () => {
    const mail = compose({ envelopeFrom: "bounces@example.net" });
    expect(mail.envelope).toEqual({ from: "bounces@example.net", to: "reader@example.org" });
    expect(fieldOf(mail, "From")).toEqual(["From: sender@example.com"]);
  });

  it("uses from as MAIL FROM if there is no envelopeFrom", () => {
    expect(compose().envelope).toEqual({ from: "sender@example.com", to: "reader@example.org" });
  });

  it("adds no Reply-To if there is no replyTo", () => {
    const mail = compose({ replyToDisplayName: "Nobody" });
    expect(fieldOf(mail, "Reply-To")).toEqual([]);
  });

  it.each([
    "Tenant Mail",
    "Jörg Müller",
    "山田太郎",
    'A "quoted", name',
    "name <eve@example.net>",
    "📧 ".repeat(60).trim(),
  ])("encodes the display name %s in 7 bits", (name) => {
    const mail = compose({
      fromDisplayName: name,
      replyTo: "answers@example.org",
      replyToDisplayName: name,
    });
    expect(fieldOf(mail, "From").map(decoded)).toEqual([`From: ${name} <sender@example.com>`]);
    expect(fieldOf(mail, "Reply-To").map(decoded)).toEqual([`Reply-To: ${name} <answers@example.org>`]);
    expect(mail.raw).toMatch(/^[\t\r\n\x20-\x7e]*$/);
  });

  it.each([
    "=?utf-8?Q?=E2=80=AEmoc=2Elive?=",
    "=?UTF-8?B?RXZl?= and =?iso-8859-1?q?more?=",
    "=?utf-8?Q?a b?=",
    "why =? is not a word",
    "=?utf-8?Q?x?= Grüße",
  ])("lets a client display what was typed, not what it would decode to: %s", async (typed) => {
    const sender = { fromDisplayName: typed, replyTo: "answers@example.org", replyToDisplayName: typed };
    const mail = compose(sender, { subject: typed });
    const { subject, from, replyTo } = await PostalMime.parse(mail.raw);
    expect([subject, from, replyTo]).toEqual([
      typed,
      { name: typed, address: "sender@example.com" },
      [{ name: typed, address: "answers@example.org" }],
    ]);
  });

  it("folds no line of white space alone, where some take a header to end", async () => {
    const typed = `Hello${" ".repeat(160)}Content-Type: text/html`;
    const sender = { fromDisplayName: typed, replyTo: "answers@example.org", replyToDisplayName: typed };
    const { raw } = compose(sender, { subject: typed });
    const [header = ""] = raw.split("\r\n\r\n", 1);
    expect(header.split("\r\n").filter((line) => line.trim() === "")).toEqual([]);
    const { subject, from, replyTo } = await PostalMime.parse(raw);
    expect([subject, from?.name, replyTo?.[0]?.name]).toEqual([typed, typed, typed]);
  });

  it("encodes the subject in 7 bits, in lines of at most 78 characters", () => {
    const subject =
      "Grüße an alle: 日本語の件名 und noch ein wenig mehr, damit die Zeile sicher gefaltet wird";
    const mail = compose({}, { subject });
    expect(fieldOf(mail, "Subject").map(decoded)).toEqual([`Subject: ${subject}`]);
    expect(mail.raw).toMatch(/^[\t\r\n\x20-\x7e]*$/);
    expect(Math.max(...mail.raw.split("\r\n").map(({ length }) => length))).toBeLessThanOrEqual(78);
  });

  it("contains text and HTML as alternatives, text first (RFC 2046 section 5.1.4)", () => {
    const mail = compose();
    const [type] = fieldOf(mail, "Content-Type");
    const boundary = /^Content-Type: multipart\/alternative; boundary="([^"]+)"$/.exec(type ?? "")?.[1] ?? "";
    const parts = mail.body.split(`--${boundary}`);
    expect(parts).toHaveLength(4);
    expect(parts[1]).toMatch(/^\r\nContent-Type: text\/plain; charset=utf-8\r\n[\s\S]*\r\n\r\nin text\r\n/);
    expect(parts[2]).toMatch(
      /^\r\nContent-Type: text\/html; charset=utf-8\r\n[\s\S]*\r\n\r\n<p>in HTML<\/p>\r\n/,
    );
    expect(parts[3]?.trim()).toBe("--");
  });

  it("uses the Message-ID as it is, the same each time", () => {
    for (const _ of [1, 2]) {
      const mail = compose();
      expect(fieldOf(mail, "Message-ID")).toEqual(["Message-ID: <id-of-this-mail@example.com>"]);
    }
  });

  it("asks vacation responders not to answer (RFC 3834 section 5), Exchange in its own way", () => {
    const mail = compose();
    expect(fieldOf(mail, "Auto-Submitted")).toEqual(["Auto-Submitted: auto-generated"]);
    expect(fieldOf(mail, "X-Auto-Response-Suppress")).toEqual(["X-Auto-Response-Suppress: OOF, AutoReply"]);
  });

  it("adds further headers, except those without a value", () => {
    const headers = { "List-Unsubscribe": "<https://example.com/leave>", "In-Reply-To": undefined };
    const mail = compose({}, { headers });
    expect(fieldOf(mail, "List-Unsubscribe")).toEqual(["List-Unsubscribe: <https://example.com/leave>"]);
    expect(fieldOf(mail, "In-Reply-To")).toEqual([]);
  });

  it("replaces the sender's Reply-To by that of the mail", () => {
    const sender = { replyTo: "answers@example.com", replyToDisplayName: "Answers" };
    const mail = compose(sender, { replyTo: "ada@bücher.example" });
    expect(fieldOf(mail, "Reply-To")).toEqual(["Reply-To: ada@xn--bcher-kva.example"]);
  });

  it.each([
    ["text", { html: undefined }, "text/plain", "in text\r\n"],
    ["HTML", { text: undefined }, "text/html", "<p>in HTML</p>"],
  ])("has one part if there is only %s", (_, changes, type, body) => {
    const mail = compose({}, changes);
    expect(fieldOf(mail, "Content-Type")).toEqual([`Content-Type: ${type}; charset=utf-8`]);
    expect(mail.body).toContain(body);
  });

  it("has the time of its acceptance as date", () => {
    const mail = compose({}, { date: new Date("2026-11-23T14:30:05.999Z") });
    expect(fieldOf(mail, "Date")).toEqual(["Date: Mon, 23 Nov 2026 14:30:05 +0000"]);
  });

  it("has the current date if nothing says when it was accepted", () => {
    // In seconds, as in the field.
    const before = Math.floor(Date.now() / 1_000) * 1_000;
    const [date, ...others] = fieldOf(compose(), "Date");
    expect(others).toEqual([]);
    expect(Date.parse(date?.slice(6) ?? "")).toBeGreaterThanOrEqual(before);
    expect(Date.parse(date?.slice(6) ?? "")).toBeLessThanOrEqual(Date.now());
  });

  it("converts IDN domains to punycode in the envelope and the header", () => {
    const mail = compose(
      { from: "a@bücher.example", replyTo: "b@例え.テスト", envelopeFrom: "c@straße.example" },
      { to: "d@münchen.example" },
    );
    expect(mail.envelope).toEqual({ from: "c@xn--strae-oqa.example", to: "d@xn--mnchen-3ya.example" });
    expect(mail.header).toEqual(
      expect.arrayContaining([
        "From: a@xn--bcher-kva.example",
        "To: d@xn--mnchen-3ya.example",
        "Reply-To: b@xn--r8jz45g.xn--zckzah",
      ]),
    );
    expect(mail.headerNeedsSmtpUtf8).toBe(false);
  });

  it.each([
    ["from", { from: "jörg@example.com", envelopeFrom: "bounces@example.com" }, {}],
    ["replyTo", { replyTo: "jörg@example.com" }, {}],
    ["to", {}, { to: "δοκιμή@example.org" }],
  ])("reports that a non-ASCII %s requires SMTPUTF8 in the header", (_, sender, changes) => {
    expect(compose(sender, changes).headerNeedsSmtpUtf8).toBe(true);
  });

  it("reports no SMTPUTF8 for non-ASCII names, text and envelopeFrom", () => {
    const mail = compose(
      { fromDisplayName: "Jörg", envelopeFrom: "jörg@example.com" },
      { subject: "Grüße", text: "größe\n", html: "<p>größe</p>" },
    );
    expect(mail.headerNeedsSmtpUtf8).toBe(false);
  });

  it.each(["\r\n", "\r", "\n", "\0"])("adds no header line for %j in any value", (control) => {
    const injected = `${control}Bcc: eve@example.com`;
    const mail = compose(
      {
        from: `sender@example.com${injected}`,
        fromDisplayName: `Ada${injected}`,
        replyTo: `answers@example.com${injected}`,
        replyToDisplayName: `Ada${injected}`,
      },
      {
        to: `reader@example.org${injected}`,
        subject: `Hello${injected}`,
        messageId: `<id${injected}@example.com>`,
        headers: { "List-Unsubscribe": `<https://example.com/>${injected}` },
      },
    );
    expect(mail.header.join("\r\n")).not.toMatch(/^Bcc:/im);
    expect(mail.header.join("")).not.toMatch(/[\r\n\0]/);
    expect(mail.header.map((line) => line.split(":")[0]?.toLowerCase()).toSorted()).toEqual([
      "auto-submitted",
      "content-type",
      "date",
      "from",
      "list-unsubscribe",
      "message-id",
      "mime-version",
      "reply-to",
      "subject",
      "to",
      "x-auto-response-suppress",
    ]);
  });
});

describe("messageIdFor", () => {
  it("combines the id with the domain of from (RFC 5322 section 3.6.4)", () => {
    const sender = { from: "sender@example.com", envelopeFrom: "bounces@example.net" };
    expect(messageIdFor("4f7a1", sender)).toBe("<4f7a1@example.com>");
  });

  it("converts an IDN domain to punycode", () => {
    expect(messageIdFor("4f7a1", { from: "a@bücher.example" })).toBe("<4f7a1@xn--bcher-kva.example>");
  });
});
