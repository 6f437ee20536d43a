/** A server's reply (RFC 5321 section 4.2) in a form that may be shown. */
export interface Reply {
  code: number;
  /** Enhanced status code (RFC 3463), such as `5.7.8`. */
  enhancedCode: string | undefined;
  /** The text without codes, on one line, printable, of at most 200 characters. */
  text: string;
}

/** Takes a reply apart. It may come from anybody: what a terminal or a page could act on is left out. */
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

/** Blots out a password that a server repeats, in clear or in the forms of AUTH PLAIN and AUTH LOGIN. */
export function withoutCredentials(
  raw: string,
  user: string | undefined,
  password: string | undefined,
): string {
  if (password === undefined) return raw;
  const secrets = [base64(`\0${user}\0${password}`), base64(password), password];
  const blotted = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  // A password that looks like a code must not take the codes with it.
  return raw.replace(
    /^(\d{3}[ -]?(?:[245]\.\d{1,3}\.\d{1,3}\b)?)?(.*)$/gm,
    (_, codes = "", text) => codes + blotted(text),
  );
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
