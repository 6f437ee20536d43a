import { redact } from "../redact.ts";

// A malformed reply such as "25" is not positive.
export const POSITIVE = /^2\d\d([ -]|$)/;
export const NEGATIVE = /^[45]\d\d/;

/** A server's reply (RFC 5321 section 4.2), safe to display. */
export interface Reply {
  code: number;
  /** Enhanced status code (RFC 3463), such as `5.7.8`. */
  enhancedCode: string | undefined;
  /** The text without codes, in one printable line. */
  text: string;
}

/** How much of a reply is displayed. */
export const DISPLAYED_MAX_CHARACTERS = 200;

/** How much of a reply is read, in UTF-16 code units. Longer ones occur only in attacks. */
export const READ_MAX_LENGTH = 4_096;

/** Words of more than 40 characters, such as ids and addresses, may hide the reason. */
const LONG_WORD = /(?<!\S)(\S{39})\S{2,}(?= )/gu;

/**
 * Parses a reply. Any server may send it, so characters that a terminal or a page could act on are dropped.
 *
 * @param maxCharacters of the text. Links and long words go first, because the reason is elsewhere.
 * @param redacted redacts the text in one line, before anything goes
 */
export function parseReply(
  raw: string,
  maxCharacters = DISPLAYED_MAX_CHARACTERS,
  redacted = (text: string) => text,
): Reply {
  const lines = raw.slice(0, READ_MAX_LENGTH).split(/\r?\n/);
  const codes = /^(\d{3})[ -]?(?:([245]\.\d{1,3}\.\d{1,3})\b)?/;
  const [, code, enhancedCode] = codes.exec(lines[0] ?? "") ?? [];
  const text = lines.map((line) => line.replace(codes, "")).join(" ");
  return { code: Number(code), enhancedCode, text: shorten(redacted(printable(text)), maxCharacters) };
}

/** A reply in one line, codes first. */
export function replyLine({ code, enhancedCode, text }: Reply): string {
  return [code, enhancedCode, text].filter((part) => part !== undefined).join(" ");
}

/** A text in one line, without characters that a terminal or a page could act on. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Z}\s]+/gu, " ").trim();
}

function shorten(text: string, maxCharacters: number): string {
  let characters = [...text];
  for (const shorter of [withoutLinks, withShortWords]) {
    if (characters.length <= maxCharacters) break;
    characters = [...shorter(characters.join(""))];
  }
  return characters.slice(0, maxCharacters).join("");
}

/** Servers wrap long links in angle brackets, over several lines. */
function withoutLinks(text: string): string {
  const links =
    /(?:(?:for more information,? )?(?:please )?(?:go to|visit|see|learn more at) )?(?:<https?:[^<>]+>|https?:\S+) ?/gi;
  return text.replace(links, "").trim() || text;
}

function withShortWords(text: string): string {
  return text.replace(LONG_WORD, "$1…");
}

/** Redacts secrets that a server repeats, in what is read of its reply. */
export function redactSecrets(raw: string, secrets: readonly string[]): string {
  // A password such as "535" must not remove the codes.
  return redact(raw, secrets, READ_MAX_LENGTH, { kept: /^\d{3}[ -]?(?:[245]\.\d{1,3}\.\d{1,3}\b)?/gm });
}
