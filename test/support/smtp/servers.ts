import { type ServerRequest, type ServerState, SMTP_CONTROL_ORIGIN } from "./control.ts";
import type { MailServerBehavior, MailServerSettings } from "./mail-server.ts";
import type { PostfixService } from "./postfix.ts";
import type { ScriptAction } from "./scripted-server.ts";

/** An SMTP server on a loopback port, as tests see it. */
export interface TestServer {
  port: number;
  state(): Promise<ServerState>;
  /** Lets a scripted server continue after `wait`. */
  release(): Promise<void>;
  /** Changes how a mail server behaves from now on. */
  change(behavior: MailServerBehavior): Promise<void>;
}

/** Starts a mail server. It knows user `postmaster` with password `correct horse`. */
export function mailServer(settings: MailServerSettings = {}, certificate?: ServerRequest["certificate"]) {
  return startServer({ mailServer: settings, ...(certificate === undefined ? {} : { certificate }) });
}

/** A service of Postfix, if installed. It knows user `postmaster` with password `correct horse`. */
export function postfix(service: PostfixService) {
  return startServer({ postfix: service });
}

/** Starts a server that runs a script for each client. */
export function scriptedServer(script: ScriptAction[], { implicitTls = false } = {}) {
  return startServer({ script, implicitTls });
}

async function startServer(wanted: ServerRequest): Promise<TestServer> {
  const response = await fetch(SMTP_CONTROL_ORIGIN, { method: "POST", body: JSON.stringify(wanted) });
  const { port } = await response.json<{ port: number }>();
  const address = `${SMTP_CONTROL_ORIGIN}?port=${port}`;
  return {
    port,
    state: async () => (await fetch(address)).json(),
    release: async () => void (await fetch(address, { method: "PUT" })),
    change: async (behavior) =>
      void (await fetch(address, { method: "PUT", body: JSON.stringify(behavior) })),
  };
}
