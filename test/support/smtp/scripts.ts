import type { Act } from "./scripted-server.ts";

/** Parts of which scripts are made. Each is what a server does in one stage, and no more. */

export const greets: Act[] = [{ send: "220 mx.example.net ESMTP\r\n" }];

/** Answers EHLO with these extensions. */
export function offers(...extensions: string[]): Act[] {
  const lines = ["mx.example.net", ...extensions];
  const reply = lines.map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}\r\n`);
  return [{ expect: "EHLO" }, { send: reply.join("") }];
}

/** Waits for a command, and replies. */
export function replies(command: string, reply: string): Act[] {
  return [{ expect: command }, { send: `${reply}\r\n` }];
}

/** Goes over to TLS as it should. */
export const goesOverToTls: Act[] = [...replies("STARTTLS", "220 2.0.0 go ahead"), { startTls: true }];

/** Everything up to a TLS connection with these extensions. */
export function secured(...extensions: string[]): Act[] {
  return [...greets, ...offers("STARTTLS"), ...goesOverToTls, ...offers(...extensions)];
}

/** Everything up to an authenticated client, with these extensions besides AUTH. */
export function authenticated(...extensions: string[]): Act[] {
  return [...secured("AUTH PLAIN", ...extensions), ...replies("AUTH PLAIN", "235 2.7.0 welcome")];
}

/** Takes a mail, one command at a time. */
export const takesMail: Act[] = [
  ...replies("MAIL", "250 2.1.0 ok"),
  ...replies("RCPT", "250 2.1.5 ok"),
  ...replies("DATA", "354 go ahead"),
  { expect: "." },
  { send: "250 2.0.0 queued as 4F7A1\r\n" },
  { expect: "QUIT" },
];
