import { unquotedLocalPart } from "../mail/address.ts";
import { redact } from "../redact.ts";
import { printable, READ_MAX_LENGTH } from "../smtp/reply.ts";
import type { MailContent } from "./sealed-mail.ts";

/**
 * Digits in a row are redacted if four of them occur in a row in the message. Login codes have more, as a rule, and the
 * codes of a reply have three, so it stays readable. The codes at its beginning are no part of its text.
 */
const CODE_MIN_DIGITS = 4;

/** Digits in a row, or in groups. */
const DIGITS = /\p{Nd}(?:[ -]?\p{Nd})*/gu;

/** A part of a text without white space, quotation marks and brackets. */
const WORD = /[^\s<>"'()]+/g;

/** A part of it that an address may have, with what follows. */
const ADDRESS_PART = /[^\s/?#<>"'()\\]+[/?#]?/g;

/** Shorter subjects are redacted only where they stand as a word. */
const SPELLED_SUBJECT_MIN_LENGTH = 8;

/**
 * Redacts what a server's reply quotes of a message: its subject, its links, its recipient, and digits in a
 * row. Those who read the state of a message may not read its content.
 *
 * @param text a reply in one printable line, without its codes
 */
export function redactContent(text: string, content: MailContent): string {
  const steps = [redactSubject, redactLinks, redactRecipient, redactDigits];
  return steps.reduce((rest, step) => step(rest, content), text);
}

function redactSubject(text: string, { subject }: MailContent): string {
  const line = printable(subject);
  if (line === "") return text;
  const shown = text.replace(asWord(RegExp.escape(line)), "[subject]");
  if (line.length < SPELLED_SUBJECT_MIN_LENGTH) return shown;
  return redact(shown, [line], READ_MAX_LENGTH, { marker: "[subject]" });
}

/** Redacts the address, and its local part alone: with its tag (RFC 5233) and without, quoted and not. */
function redactRecipient(text: string, { to }: MailContent): string {
  const localPart = unquotedLocalPart(to);
  const [mailbox = ""] = localPart.split("+", 1);
  const written = [to.slice(0, to.lastIndexOf("@")), localPart, mailbox];
  const forms = written.filter((form) => form !== "").map((form) => RegExp.escape(form));
  return text.replace(asWord(`(?:${forms.join("|")})(?:@[^\\s<>()\\[\\],;:'"]+)?`), "[recipient]");
}

/** A server may shorten a link, so its host decides. A host alone stays: it is why a server blocks a message. */
function redactLinks(text: string, content: MailContent): string {
  if (hostsOfLinks(text).size === 0) return text;
  const known = new Set<string>();
  for (const part of textsOf(content)) hostsOfLinks(part, known);
  return text.replace(WORD, (word) => (hostsOfLinks(word).isDisjointFrom(known) ? word : "[URL]"));
}

/** Adds the hosts of links, with or without a scheme: what stands before a slash or behind two, and has a dot. */
function hostsOfLinks(text: string, hosts = new Set<string>()): Set<string> {
  for (const { 0: part, index } of text.matchAll(ADDRESS_PART)) {
    const isLink = /[/?#]$/.test(part) || text.startsWith("//", index - 2);
    if (!isLink || !part.includes(".")) continue;
    for (const piece of part.toLowerCase().split(/[/?#@:=,;]/)) if (piece.includes(".")) hosts.add(piece);
  }
  return hosts;
}

function redactDigits(text: string, content: MailContent): string {
  if (partsOfDigits(text).size === 0) return text;
  const known = new Set<string>();
  for (const part of textsOf(content)) partsOfDigits(part, known);
  const isKnown = (digits: string) => !partsOfDigits(digits).isDisjointFrom(known);
  return text.replace(DIGITS, (digits) => (isKnown(digits) ? "[digits]" : digits));
}

/** Adds all that are four digits in a row: few enough to remember, however long the text is. */
function partsOfDigits(text: string, parts = new Set<string>()): Set<string> {
  for (const [digits] of text.matchAll(DIGITS)) {
    const joined = digits.replace(/[ -]/g, "");
    for (let end = CODE_MIN_DIGITS; end <= joined.length; end++) {
      parts.add(joined.slice(end - CODE_MIN_DIGITS, end));
    }
  }
  return parts;
}

function textsOf({ subject, text = "", html = "", headers = {} }: MailContent): string[] {
  return [subject, text, html, ...Object.values(headers).filter((value) => value !== undefined)];
}

function asWord(pattern: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])`, "giu");
}
