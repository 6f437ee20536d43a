import { parseReply, READ_MAX_LENGTH, type Reply } from "../reply.ts";

/** Codes at the start of each line of a reply (RFC 5321 section 4.2, RFC 2034 section 4). */
const CODES = /^\d{3}[ -]?(?:[245]\.\d{1,3}\.\d{1,3}\b)? ?/;

/** What a reply is about, as Postfix and others put it first: `<ada@example.com>: Recipient address rejected`. */
const LEADING_ADDRESS = /^<[^<>]{0,320}>: ?/;

/** Where a server begins to quote another one: the rest of the reply is not its own. */
const OTHER_SERVER = / said:|\(in reply to|\bhost \S{1,255}\[|\bresponse:/i;

/** Where a server begins to quote anything else. */
const QUOTATION_MARK = /["“”«»]/;

/** How Postfix names a client in front of a reply: `<mx.example[192.0.2.9]>:`. */
const LEADING_CLIENT = /^<[^<>@]{0,255}\[[\da-f.:]{2,45}\]>:/i;

/** What surrounds an address in a reply. */
const AROUND_ADDRESS = /[\s<>()[\]{},;:"']/;

const ADDRESS = /^[^@]{1,64}@[^@]{1,255}$/;

/**
 * Parses what a server says itself. The rest of a reply may be a third party's words, chosen by anybody who makes a
 * tenant write to an address of theirs.
 */
export function ownWords(raw: string): Reply {
  const lines = linesOf(raw).map((line) => {
    const [codes = ""] = CODES.exec(line) ?? [];
    return codes + before(QUOTATION_MARK, line.slice(codes.length).replace(LEADING_ADDRESS, ""));
  });
  return parseReply(lines.join("\n"), Number.POSITIVE_INFINITY);
}

/** The addresses that a server names itself, in lower case. */
export function namedAddresses(raw: string): string[] {
  const words = linesOf(raw).flatMap((line) => before(QUOTATION_MARK, line).split(AROUND_ADDRESS));
  const addresses = words.filter((word) => ADDRESS.test(word));
  return addresses.map((address) => address.replace(/\.$/, "").toLowerCase());
}

/** Whether a reply names this client in front, as what it is about. */
export function namesClient(raw: string): boolean {
  const [codes = ""] = CODES.exec(raw) ?? [];
  return LEADING_CLIENT.test(raw.slice(codes.length));
}

/** The lines of a reply, without what other servers say. */
function linesOf(raw: string): string[] {
  const lines = raw.slice(0, READ_MAX_LENGTH).split(/\r?\n/);
  const last = lines.findIndex((line) => OTHER_SERVER.test(line));
  return last < 0 ? lines : [...lines.slice(0, last), before(OTHER_SERVER, lines[last] ?? "")];
}

function before(mark: RegExp, text: string): string {
  const start = text.search(mark);
  return start < 0 ? text : text.slice(0, start);
}
