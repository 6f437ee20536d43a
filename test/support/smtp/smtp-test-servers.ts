import { type Certificate, newAuthority, trust } from "./certificates.ts";
import type { ServerRequest, ServerState } from "./control.ts";
import { type ChangeableMailServer, type MailServer, startMailServer } from "./mail-server.ts";
import { type Postfix, startPostfix } from "./postfix.ts";
import { type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

type RunningServer =
  | MailServer
  | ChangeableMailServer
  | ScriptedServer
  | Pick<MailServer, "port" | "messages">;

/**
 * Real SMTP servers in Node, on loopback ports. Tests run in workerd, and control them over HTTP.
 *
 * @returns the handler of requests to `SMTP_CONTROL_ORIGIN`
 */
export async function smtpTestServers(): Promise<(request: Request) => Promise<Response>> {
  const authority = await newAuthority();
  trust(authority);
  const servers = new Map<number, RunningServer>();
  let postfix: Promise<Postfix> | undefined;

  async function start(wanted: ServerRequest, certificate: Certificate): Promise<RunningServer> {
    if ("mailServer" in wanted) return startMailServer(wanted.mailServer, certificate);
    if ("script" in wanted)
      return startScriptedServer(wanted.script, certificate, wanted.implicitTls ?? false);
    // All tests share one, as it takes seconds to start.
    postfix ??= startPostfix(certificate);
    const { ports, messages } = await postfix;
    return { port: ports[wanted.postfix], messages };
  }

  return async function respond(request) {
    if (request.method === "POST") {
      const wanted = (await request.json()) as ServerRequest;
      const server = await start(wanted, authority[wanted.certificate ?? "trusted"]);
      servers.set(server.port, server);
      return Response.json({ port: server.port });
    }
    const server = servers.get(Number(new URL(request.url).searchParams.get("port")));
    if (server === undefined) return new Response("no such server", { status: 404 });
    if (request.method === "PUT" && "release" in server) server.release();
    if (request.method === "PUT" && "change" in server) await server.change(await request.json());
    const state: ServerState = {
      messages: "messages" in server ? server.messages : [],
      lines: "lines" in server ? server.lines : [],
      connections: "connections" in server ? server.connections() : 0,
      openConnections: "openConnections" in server ? server.openConnections() : 0,
    };
    return Response.json(state);
  };
}
