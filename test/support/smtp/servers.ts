import type { MailServerSettings } from "./mail-server.ts";
import { type Findings, LAB_ORIGIN, type Order } from "./orders.ts";
import type { Act } from "./scripted-server.ts";

/** A server that a test has ordered. */
export interface OrderedServer {
  port: number;
  findings(): Promise<Findings>;
}

/** Starts a mail server. It takes user `postmaster` with password `correct horse`. */
export function mailServer(settings: MailServerSettings = {}, certificate?: Order["certificate"]) {
  return order({ mailServer: settings, ...(certificate === undefined ? {} : { certificate }) });
}

/** Starts Exim, where it is installed. It takes user `postmaster` with password `correct horse`. */
export function exim() {
  return order({ exim: true });
}

/** Starts a server that plays a script to each client. */
export function scriptedServer(script: Act[], { implicitTls = false } = {}) {
  return order({ script, implicitTls });
}

async function order(wanted: Order): Promise<OrderedServer> {
  const response = await fetch(LAB_ORIGIN, { method: "POST", body: JSON.stringify(wanted) });
  const { port } = await response.json<{ port: number }>();
  return { port, findings: async () => (await fetch(`${LAB_ORIGIN}?port=${port}`)).json() };
}
