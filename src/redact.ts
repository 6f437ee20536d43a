// What a server repeats of a secret: as it was sent, or as servers spell what they put into a header, a page or a log.
// Texts and secrets are compared as bytes of UTF-8, one character per byte.

/** Stands for what was redacted. */
const REDACTED = "***";

/** Servers cut what they repeat, so this many bytes are enough to know a longer secret. */
const KNOWN_BY_BYTES = 32;

/** The longest spelling of them in UTF-16 code units: each byte as a character reference of HTML, and to spare. */
const KNOWN_BY_LENGTH = 1_024;

/** Fewer digits of base64 are part of any word. */
const BASE64_MIN_DIGITS = 4;

const BASE64_DIGIT = /[A-Za-z\d+/]/;

/** Ways to spell a byte differently: what a spelling looks like, and the bytes that it stands for. */
const SPELLINGS: readonly [escapes: RegExp, decode: (part: string) => string][] = [
  // Percent-encoded (RFC 3986 section 2.1).
  [/%[\da-f]{2}/gi, fromPercent],
  // In a form (https://url.spec.whatwg.org/#application/x-www-form-urlencoded).
  [/\+|%[\da-f]{2}/gi, (part) => (part === "+" ? " " : fromPercent(part))],
  // In quoted-printable and its variant for headers (RFC 2045 section 6.7, RFC 2047 section 4.2).
  [/=[\da-f]{2}|_/gi, (part) => (part === "_" ? " " : fromPercent(part))],
  // In HTML (https://html.spec.whatwg.org/multipage/syntax.html#character-references).
  [/&(?:#\d{1,7}|#x[\da-f]{1,6}|amp|lt|gt|quot|apos);/gi, fromReference],
  // In JSON (RFC 8259 section 7).
  [/(?:\\u[\da-fA-F]{4})+|\\["\\/bfnrt]/g, (part) => toBytes(JSON.parse(`"${part}"`))],
  // Over several lines.
  [/[\r\n]+/g, () => ""],
];

/** A text in one spelling: its bytes, and where each begins and ends in the text. */
interface View {
  bytes: string;
  starts: number[];
  ends: number[];
}

type Span = readonly [start: number, end: number];

/**
 * Redacts secrets in what a server says: in clear, percent-encoded, as a form, HTML, JSON or quoted-printable has them,
 * and within base64. Takes time in proportion to the text.
 *
 * @param maxLength how much of the text is kept, in UTF-16 code units; a secret that begins there is redacted as a whole
 * @param kept what stays, whatever the secrets
 */
export function redact(
  text: string,
  secrets: readonly string[],
  maxLength: number,
  { kept = /(?!)/, marker = REDACTED }: { kept?: RegExp; marker?: string } = {},
): string {
  const limit = toBytes(text.slice(0, maxLength)).length;
  const shown = toBytes(text.slice(0, maxLength + KNOWN_BY_LENGTH));
  // No secret has a line feed.
  const searched = shown.replace(kept, (stays) => "\n".repeat(stays.length));
  const views = viewsOf(searched);
  const spans = secrets.filter((secret) => secret !== "").flatMap((secret) => spansOf(secret, views));
  let [redacted, end] = ["", 0];
  for (const [start, next] of spans.sort(([a], [b]) => a - b)) {
    if (start >= limit) break;
    if (start >= end) redacted += shown.slice(end, start) + marker;
    end = Math.max(end, next);
  }
  return end === 0 ? text.slice(0, maxLength) : fromBytes(redacted + shown.slice(end, limit));
}

/** Where a secret stands in any of the views. */
function spansOf(secret: string, views: readonly View[]): Span[] {
  const bytes = toBytes(secret);
  // As it looks where it was read as ISO 8859-1, because another byte of the text is not valid UTF-8.
  const needles = new Set([bytes, toBytes(bytes)]);
  const digits = [0, 1, 2].map((offset) => base64Digits(bytes, offset));
  return views.flatMap((view) => {
    // RFC 4648 section 5.
    const standard = { ...view, bytes: view.bytes.replaceAll("-", "+").replaceAll("_", "/") };
    return [
      ...[...needles].flatMap((needle) => find(needle, view)),
      ...digits.flatMap((needle) => (needle.length < BASE64_MIN_DIGITS ? [] : findBase64(needle, standard))),
    ];
  });
}

/**
 * The digits of base64 that bytes alone determine, whatever surrounds them.
 *
 * @param offset of the bytes from a group of three
 */
function base64Digits(bytes: string, offset: number): string {
  const base64 = Buffer.from("\0".repeat(offset) + bytes, "latin1").toString("base64");
  return base64.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/** With the digit before and the one after, which may hold some bits of the secret, and padding. */
function findBase64(needle: string, view: View): Span[] {
  const { bytes, starts, ends } = view;
  // What stands on the next line is not part of it.
  const isNextTo = (index: number) => starts[index] === ends[index - 1];
  const isDigit = (index: number) => BASE64_DIGIT.test(bytes.charAt(index));
  return indexesOf(needle, bytes).map(([start, end]) => {
    const first = isDigit(start - 1) && isNextTo(start) ? start - 1 : start;
    let last = isDigit(end) && isNextTo(end) ? end + 1 : end;
    while (bytes[last] === "=" && isNextTo(last)) last++;
    return spanOf(view, first, last);
  });
}

function find(needle: string, view: View): Span[] {
  return indexesOf(needle, view.bytes).map(([start, end]) => spanOf(view, start, end));
}

/** Where a text begins, and until where it goes on. */
function indexesOf(needle: string, text: string): Span[] {
  const beginning = needle.slice(0, KNOWN_BY_BYTES);
  const found: Span[] = [];
  for (let start = text.indexOf(beginning); start >= 0; start = text.indexOf(beginning, start)) {
    let length = beginning.length;
    while (length < needle.length && text[start + length] === needle[length]) length++;
    found.push([start, start + length]);
    start += length;
  }
  return found;
}

function spanOf({ starts, ends }: View, first: number, last: number): Span {
  return [starts[first] ?? 0, ends[last - 1] ?? 0];
}

function viewsOf(bytes: string): View[] {
  const spelled = SPELLINGS.flatMap(([escapes, decode]) => {
    const view = decoded(bytes, escapes, decode);
    return view.bytes === bytes ? [] : [view];
  });
  const positions = Array.from(bytes, (_, index) => index);
  return [{ bytes, starts: positions, ends: positions.map((index) => index + 1) }, ...spelled];
}

function decoded(bytes: string, escapes: RegExp, decode: (part: string) => string): View {
  const view: View = { bytes: "", starts: [], ends: [] };
  const add = (text: string, start: number, end: number) => {
    view.bytes += text;
    for (let count = 0; count < text.length; count++) {
      view.starts.push(start);
      view.ends.push(end);
    }
  };
  let position = 0;
  for (const { 0: part, index } of bytes.matchAll(escapes)) {
    for (; position < index; position++) add(bytes.charAt(position), position, position + 1);
    position += part.length;
    add(decode(part), index, position);
  }
  for (; position < bytes.length; position++) add(bytes.charAt(position), position, position + 1);
  return view;
}

function fromPercent(part: string): string {
  return String.fromCharCode(Number.parseInt(part.slice(1), 16));
}

const REFERENCES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function fromReference(part: string): string {
  const name = part.slice(1, -1).toLowerCase();
  const code = Number(name.startsWith("#x") ? `0${name.slice(1)}` : name.slice(1));
  const isCharacter = name.startsWith("#") && code <= 0x10ffff;
  return isCharacter ? toBytes(String.fromCodePoint(code)) : (REFERENCES[name] ?? part);
}

function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
