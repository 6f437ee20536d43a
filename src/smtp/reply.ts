/** A server's reply (RFC 5321 section 4.2), safe to display. */
export interface Reply {
  code: number;
  /** Enhanced status code (RFC 3463), such as `5.7.8`. */
  enhancedCode: string | undefined;
  /** The text without codes: one printable line of at most 200 characters. */
  text: string;
}

/** Parses a reply. Any server may send it, so characters that a terminal or a page could act on are dropped. */
export function parseReply(raw: string): Reply {
  const lines = raw.split(/\r?\n/);
  const codes = /^(\d{3})[ -]?(?:([245]\.\d{1,3}\.\d{1,3})\b)?/;
  const [, code, enhancedCode] = codes.exec(lines[0] ?? "") ?? [];
  const text = lines.map((line) => line.replace(codes, "")).join(" ");
  return { code: Number(code), enhancedCode, text: printable(text) };
}

function printable(text: string): string {
  const line = text.replace(/[\p{C}\p{Z}\s]+/gu, " ").trim();
  return [...line].slice(0, 200).join("");
}

/** Redacts a password that a server repeats, in clear or as AUTH PLAIN and AUTH LOGIN encode it. */
export function redactCredentials(
  raw: string,
  user: string | undefined,
  password: string | undefined,
): string {
  if (password === undefined) return raw;
  const secrets = [base64(`\0${user}\0${password}`), base64(password), password];
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
