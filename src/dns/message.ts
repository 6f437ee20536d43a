/** Octets of the header (RFC 1035 section 4.1.1). */
export const HEADER_OCTETS = 12;

const TYPE_A = 1;
const CLASS_IN = 1;

/** Response codes that say whether a name exists (RFC 1035 section 4.1.1). */
export const NO_ERROR = 0;
export const NAME_ERROR = 3;

/**
 * Encodes a query for the IPv4 addresses of a name (RFC 1035 section 4). Its id is 0, as RFC 8484 section 4.1 asks.
 *
 * @param name a host name in ASCII, as returned by `parseHost`
 */
export function encodeQuery(name: string): Uint8Array<ArrayBuffer> {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]);
  const header = Buffer.alloc(HEADER_OCTETS);
  // Recursion desired.
  header.writeUInt16BE(0x0100, 2);
  // One question.
  header.writeUInt16BE(1, 4);
  return Uint8Array.from([...header, ...labels, 0, 0, TYPE_A, 0, CLASS_IN]);
}

/**
 * The response code of a message.
 *
 * @param header its first octets
 * @returns `undefined` if this is not the header of a response
 */
export function responseCode(header: Uint8Array): number | undefined {
  const [, , flags = 0, code = 0] = header;
  const isResponse = header.length >= HEADER_OCTETS && (flags & 0x80) !== 0;
  return isResponse ? code & 0x0f : undefined;
}
