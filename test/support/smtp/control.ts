import type { Authority } from "./certificates.ts";
import type { MailServerSettings, ReceivedMail } from "./mail-server.ts";
import type { PostfixService } from "./postfix.ts";
import type { ScriptAction } from "./scripted-server.ts";

/**
 * Where tests start an SMTP server (POST a {@link ServerRequest}), change it (PUT a {@link MailServerBehavior}, or
 * anything to a scripted server that waits), and read a {@link ServerState} (GET).
 */
export const SMTP_CONTROL_ORIGIN = "https://smtp-control.test";

/** Which server to start. */
export type ServerRequest = { certificate?: Exclude<keyof Authority, "ca"> } & (
  | { postfix: PostfixService }
  | { mailServer: MailServerSettings }
  | { script: ScriptAction[]; implicitTls?: boolean }
);

/** What a server has seen so far. */
export interface ServerState {
  /** Of a mail server: the messages it has accepted. */
  messages: ReceivedMail[];
  /** Of a scripted server: the lines that clients have sent. */
  lines: string[];
  /** Connections so far. Not of Postfix. */
  connections: number;
  openConnections: number;
}
