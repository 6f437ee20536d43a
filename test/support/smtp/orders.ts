import type { Authority } from "./certificates.ts";
import type { ArrivedMail, MailServerSettings } from "./mail-server.ts";
import type { Act } from "./scripted-server.ts";

/** Where tests order SMTP servers, and ask what came of them. */
export const LAB_ORIGIN = "https://smtp-lab.test";

/** An order: a real mail server, or one that plays a script. */
export type Order = { certificate?: Exclude<keyof Authority, "ca"> } & (
  | { exim: true }
  | { mailServer: MailServerSettings }
  | { script: Act[]; implicitTls?: boolean }
);

/** What has come of a server so far. */
export interface Findings {
  mails: ArrivedMail[];
  lines: string[];
  /** How many connections there have been. */
  connections: number;
  openConnections: number;
}
