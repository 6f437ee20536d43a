import type { ScriptAction } from "./scripted-server.ts";

/** Parts of scripts. Each is what a server does in one stage. */

export const greets: ScriptAction[] = [{ send: "220 mx.example.net ESMTP\r\n" }];

/** Replies to EHLO with these extensions. */
export function offers(...extensions: string[]): ScriptAction[] {
  const lines = ["mx.example.net", ...extensions];
  const reply = lines.map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}\r\n`);
  return [{ expect: "EHLO" }, { send: reply.join("") }];
}

/** Waits for a command, and replies. */
export function replies(command: string, reply: string): ScriptAction[] {
  return [{ expect: command }, { send: `${reply}\r\n` }];
}

/** Everything up to a TLS connection with these extensions. */
export function secured(...extensions: string[]): ScriptAction[] {
  return [
    ...greets,
    ...offers("STARTTLS"),
    ...replies("STARTTLS", "220 2.0.0 go ahead"),
    { startTls: true },
    ...offers(...extensions),
  ];
}

/** Everything up to an authenticated client, with these extensions besides AUTH. */
export function authenticated(...extensions: string[]): ScriptAction[] {
  return [...secured("AUTH PLAIN", ...extensions), ...replies("AUTH PLAIN", "235 2.7.0 welcome")];
}

/** Accepts a mail, one command at a time. */
export const acceptsMail: ScriptAction[] = [
  ...replies("MAIL", "250 2.1.0 ok"),
  ...replies("RCPT", "250 2.1.5 ok"),
  ...replies("DATA", "354 go ahead"),
  ...replies(".", "250 2.0.0 queued as 4F7A1"),
];
