/**
 * Encodes a message as it follows DATA, up to the final dot without its CRLF. Every line ends with CRLF, as
 * a bare CR or LF allows SMTP smuggling (RFC 5321 section 2.3.8); leading dots are doubled (section 4.5.2).
 */
export function encodeMailData(raw: Buffer): string {
  const text = raw
    .toString("utf8")
    .replace(/\r\n|\r|\n/g, "\r\n")
    .replace(/(^|\r\n)\./g, "$1..");
  return text.endsWith("\r\n") ? `${text}.` : `${text}\r\n.`;
}
