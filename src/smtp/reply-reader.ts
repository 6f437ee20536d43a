/**
 * How much of a reply is kept, in UTF-16 code units. A challenge has up to 12,288 octets (RFC 4954 section 4), and an
 * EHLO reply some twenty lines.
 */
const REPLY_MAX_LENGTH = 16 * 1024;

/** Assembles a server's replies from the bytes of its connection (RFC 5321 section 4.2.1). */
export class ReplyReader {
  /** The beginning of the line that is still incomplete, one character per byte. */
  #rest = "";
  /** The lines of the reply that is still incomplete. */
  #lines: string[] = [];

  /** Reads a chunk, and returns the replies that it completes. LF separates their lines. */
  read(chunk: Uint8Array): string[] {
    const [first = "", ...others] = Buffer.from(chunk).toString("latin1").split("\n");
    const lines = [this.#rest + first, ...others];
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#addLine(line.replace(/\r$/, "")));
  }

  /** Ends the input. Returns a rejection whose last line lacks its end, as servers that hang up may send it. */
  end(): string[] {
    return /^[45]\d\d[ -]/.test(this.#rest) ? [decode([...this.#lines, this.#rest].join("\n"))] : [];
  }

  #addLine(line: string): string[] {
    this.#lines.push(line);
    if (/^\d+-/.test(line)) return [];
    const reply = decode(this.#lines.join("\n"));
    this.#lines = [];
    // Some servers send empty lines between replies.
    return reply.trim() === "" ? [] : [reply];
  }
}

/** UTF-8 where the bytes are valid, as most servers send it today; otherwise ISO 8859-1. Up to the maximum. */
function decode(bytes: string): string {
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  return (text.includes("\ufffd") ? bytes : text).slice(0, REPLY_MAX_LENGTH);
}
