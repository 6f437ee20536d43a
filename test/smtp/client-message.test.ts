import { describe, expect, it } from "vitest";
import { arrivedAt, content, failureOf, stepsOf } from "../support/smtp/conversations.ts";
import { authenticated, replies, takesMail } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";

/** What arrives of a mail with these settings and contents. */
async function arrivalOf(settings: Record<string, unknown>, mail: Partial<typeof content> = {}) {
  const ordered = await mailServer();
  await stepsOf(ordered, settings, mail);
  const arrived = await arrivedAt(ordered);
  const end = arrived.raw.indexOf("\r\n\r\n");
  const header = arrived.raw.slice(0, end).replaceAll(/\r\n[ \t]+/g, " ");
  return { ...arrived, header: header.split("\r\n"), body: arrived.raw.slice(end + 4) };
}

/** The text of RFC 2047 encoded words. */
function decoded(line: string | undefined): string {
  return (line ?? "").replaceAll(
    /=\?UTF-8\?([QB])\?([^?]*)\?=( (?==\?))?/gi,
    (_, encoding: string, text: string) =>
      encoding.toUpperCase() === "B"
        ? Buffer.from(text, "base64").toString("utf8")
        : decodeURIComponent(text.replaceAll("_", " ").replaceAll("%", "%25").replaceAll("=", "%")),
  );
}

describe("a mail on the wire", () => {
  it("has envelopeFrom as MAIL FROM, and from in its header", async () => {
    const { mailFrom, header } = await arrivalOf({ envelopeFrom: "bounces@example.net" });
    expect(mailFrom).toBe("bounces@example.net");
    expect(header).toContain("From: sender@example.com");
  });

  it("has from as MAIL FROM where there is no envelopeFrom", async () => {
    expect((await arrivalOf({})).mailFrom).toBe("sender@example.com");
  });

  it("has no Reply-To where none is set", async () => {
    expect((await arrivalOf({})).header.join("\n")).not.toMatch(/^reply-to/im);
  });

  it.each([
    "Tenant Mail",
    "Jörg Müller",
    "山田太郎",
    'A "quoted", name',
    "name <eve@example.net>",
    "📧 ".repeat(60).trim(),
  ])("shows the display name %s, in 7 bits", async (name) => {
    const { header, raw } = await arrivalOf({
      fromDisplayName: name,
      replyTo: "answers@example.org",
      replyToDisplayName: name,
    });
    const shown = (field: string) => decoded(header.find((line) => line.startsWith(`${field}: `)));
    const unquoted = (text: string) =>
      text.replaceAll(/^([\w-]+: )"(.*)" </g, "$1$2 <").replaceAll('\\"', '"');
    expect(unquoted(shown("From"))).toBe(`From: ${name} <sender@example.com>`);
    expect(unquoted(shown("Reply-To"))).toBe(`Reply-To: ${name} <answers@example.org>`);
    expect(raw).toMatch(/^[\t\r\n\x20-\x7e]*$/);
  });

  it("has its subject in UTF-8, in 7 bits and in lines of at most 78 characters", async () => {
    const subject =
      "Grüße an alle: 日本語の件名 und noch ein wenig mehr, damit die Zeile sicher gefaltet wird";
    const { header, raw } = await arrivalOf({}, { subject });
    expect(decoded(header.find((line) => line.startsWith("Subject: ")))).toBe(`Subject: ${subject}`);
    expect(Math.max(...raw.split("\r\n").map(({ length }) => length))).toBeLessThanOrEqual(78);
  });

  it("has text and HTML as alternatives, text first (RFC 2046 section 5.1.4)", async () => {
    const { header, body } = await arrivalOf({}, { text: "in text\n", html: "<p>in HTML</p>" });
    const type = header.find((line) => line.startsWith("Content-Type: "));
    const boundary = /^Content-Type: multipart\/alternative; boundary="([^"]+)"$/.exec(type ?? "")?.[1] ?? "";
    const parts = body.split(`--${boundary}`);
    expect(parts).toHaveLength(4);
    expect(parts[1]).toMatch(/^\r\nContent-Type: text\/plain; charset=utf-8\r\n[\s\S]*\r\n\r\nin text\r\n/);
    expect(parts[2]).toMatch(
      /^\r\nContent-Type: text\/html; charset=utf-8\r\n[\s\S]*\r\n\r\n<p>in HTML<\/p>\r\n/,
    );
    expect(parts[3]?.trim()).toBe("--");
  });

  it("is the same text after dots at the beginning of lines", async () => {
    const text = ".\r\n..\r\n.hidden\r\na.\r\n.\r\n";
    expect((await arrivalOf({}, { text })).body).toContain(`\r\n\r\n${text}`);
  });

  it("has such dots doubled on the wire (RFC 5321 section 4.5.2)", async () => {
    const ordered = await scriptedServer([...authenticated(), ...takesMail]);
    await stepsOf(ordered, {}, { text: ".\n.hidden\n" });
    expect((await ordered.findings()).lines).toEqual(expect.arrayContaining(["..", "..hidden", ".", "QUIT"]));
  });

  it("has no bare CR or LF, whatever line ends the text has", async () => {
    const { raw } = await arrivalOf({}, { text: "a\nb\rc\r\nd", html: "<p>\na\rb</p>" });
    expect(raw.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  });

  it("has a Message-ID of its id in the sender's domain, the same on each try", async () => {
    const id = "<id-of-this-mail@example.com>";
    for (const _ of [1, 2]) {
      const { header } = await arrivalOf({ envelopeFrom: "bounces@example.net" });
      expect(header.filter((line) => /^message-id:/i.test(line))).toEqual([`Message-ID: ${id}`]);
    }
  });

  it("has a Date of now in its header, once", async () => {
    const { header } = await arrivalOf({});
    const [date, ...others] = header.filter((line) => line.startsWith("Date: "));
    expect(others).toEqual([]);
    expect(Math.abs(Date.parse(date?.slice(6) ?? "") - Date.now())).toBeLessThan(60_000);
  });

  it("has IDN domains in punycode, in the envelope, the header and the Message-ID", async () => {
    const settings = {
      from: "a@bücher.example",
      replyTo: "b@例え.テスト",
      envelopeFrom: "c@straße.example",
    };
    const ordered = await scriptedServer([...authenticated(), ...takesMail]);
    await stepsOf(ordered, settings, { to: "d@münchen.example" });
    expect((await ordered.findings()).lines).toEqual(
      expect.arrayContaining([
        "MAIL FROM:<c@xn--strae-oqa.example>",
        "RCPT TO:<d@xn--mnchen-3ya.example>",
        "From: a@xn--bcher-kva.example",
        "To: d@xn--mnchen-3ya.example",
        "Reply-To: b@xn--r8jz45g.xn--zckzah",
        "Message-ID: <id-of-this-mail@xn--bcher-kva.example>",
      ]),
    );
  });

  it("goes out in one go with PIPELINING: the server need not reply before DATA", async () => {
    const ordered = await scriptedServer([
      ...authenticated("PIPELINING"),
      { expect: "DATA" },
      { send: "250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n" },
      ...replies(".", "250 2.0.0 queued"),
      { expect: "QUIT" },
    ]);
    const stages = (await stepsOf(ordered)).map(({ stage }) => stage);
    expect(stages.slice(-3)).toEqual(["sender", "recipient", "message"]);
  });

  it("goes out command by command without it", async () => {
    const script = [
      ...authenticated(),
      { expect: "MAIL" },
      { drip: "25", everyMs: 150 },
      { close: true as const },
    ];
    const ordered = await scriptedServer(script);
    expect(await failureOf(ordered)).toMatchObject({ stage: "sender" });
    expect((await ordered.findings()).lines.at(-1)).toBe("MAIL FROM:<sender@example.com>");
  });

  it("arrives at a server without PIPELINING", async () => {
    const ordered = await mailServer({ without: ["PIPELINING"] });
    await stepsOf(ordered);
    expect((await arrivedAt(ordered)).rcptTo).toEqual([content.to]);
  });

  it("is announced with its size where the server wants to know it (RFC 1870)", async () => {
    const ordered = await scriptedServer([...authenticated("SIZE 100000"), ...takesMail]);
    await stepsOf(ordered);
    expect((await ordered.findings()).lines).toContainEqual(
      expect.stringMatching(/^MAIL FROM:<sender@example\.com> SIZE=\d{3}$/),
    );
  });

  it("is announced by our own name in EHLO, before TLS and after it", async () => {
    const ordered = await scriptedServer([...authenticated(), ...takesMail]);
    await stepsOf(ordered);
    const { lines } = await ordered.findings();
    expect(lines.filter((line) => line === "EHLO mail.example.com")).toHaveLength(2);
  });
});
