/** A server's reply (RFC 5321 section 4.2), safe to display. */
export interface Reply {
  code: number;
  /** Enhanced status code (RFC 3463), such as `5.7.8`. */
  enhancedCode: string | undefined;
  /** The text without codes, in one printable line. */
  text: string;
}

/** How much of a reply is displayed. */
const DISPLAYED_MAX_CHARACTERS = 200;

/** How much of a reply is read, in UTF-16 code units. Longer ones occur only in attacks. */
const READ_MAX_LENGTH = 4_096;

/** Longer words, such as ids and addresses, may hide the reason. */
const WORD_MAX_CHARACTERS = 40;

/**
 * Parses a reply. Any server may send it, so characters that a terminal or a page could act on are dropped.
 *
 * @param maxCharacters of the text. Links and long words go first, because the reason is elsewhere.
 */
export function parseReply(raw: string, maxCharacters = DISPLAYED_MAX_CHARACTERS): Reply {
  const lines = raw.slice(0, READ_MAX_LENGTH).split(/\r?\n/);
  const codes = /^(\d{3})[ -]?(?:([245]\.\d{1,3}\.\d{1,3})\b)?/;
  const [, code, enhancedCode] = codes.exec(lines[0] ?? "") ?? [];
  const text = lines.map((line) => line.replace(codes, "")).join(" ");
  return { code: Number(code), enhancedCode, text: shorten(printable(text), maxCharacters) };
}

function printable(text: string): string {
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
    /(?:(?:for more information,? )?(?:please )?(?:go to|visit|see|learn more at) )?(?:<https?:[^>]{1,2048}>|https?:\S+) ?/gi;
  return text.replace(links, "").trim() || text;
}

function withShortWords(text: string): string {
  const longWord = new RegExp(`(?<!\\S)(\\S{${WORD_MAX_CHARACTERS - 1}})\\S{2,}(?= )`, "gu");
  return text.replace(longWord, "$1…");
}

/** Redacts a password that a server repeats, in clear or as AUTH PLAIN and AUTH LOGIN encode it. */
export function redactCredentials(
  raw: string,
  user: string | undefined,
  password: string | undefined,
): string {
  if (password === undefined) return raw;
  return redactSecrets(raw, [base64(`\0${user}\0${password}`), base64(password), password]);
}

/** Redacts secrets that a server repeats. */
export function redactSecrets(raw: string, secrets: readonly string[]): string {
  const redact = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  // A password such as "535" must not remove the codes.
  return raw.replace(
    /^(\d{3}[ -]?(?:[245]\.\d{1,3}\.\d{1,3}\b)?)?(.*)$/gm,
    (_, codes = "", text) => codes + redact(text),
  );
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
