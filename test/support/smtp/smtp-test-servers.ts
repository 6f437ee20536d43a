import { type Certificate, newAuthority, trust } from "./certificates.ts";
import type { ServerRequest, ServerState } from "./control.ts";
import { startExim } from "./exim.ts";
import { type ChangeableMailServer, type MailServer, startMailServer } from "./mail-server.ts";
import { type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

/**
 * Real SMTP servers in Node, on loopback ports. Tests run in workerd, and control them over HTTP.
 *
 * @param eximPath the path of Exim, if installed
 * @returns the handler of requests to `SMTP_CONTROL_ORIGIN`
 */
export async function smtpTestServers(
  eximPath: string | undefined,
): Promise<(request: Request) => Promise<Response>> {
  const authority = await newAuthority();
  trust(authority);
  const servers = new Map<number, MailServer | ChangeableMailServer | ScriptedServer>();

  return async function respond(request) {
    if (request.method === "POST") {
      const wanted = (await request.json()) as ServerRequest;
      const server = await start(wanted, authority[wanted.certificate ?? "trusted"], eximPath);
      servers.set(server.port, server);
      return Response.json({ port: server.port });
    }
    const server = servers.get(Number(new URL(request.url).searchParams.get("port")));
    if (server === undefined) return new Response("no such server", { status: 404 });
    if (request.method === "PUT" && "release" in server) server.release();
    if (request.method === "PUT" && "change" in server) await server.change(await request.json());
    const state: ServerState = {
      mails: "mails" in server ? server.mails : [],
      lines: "lines" in server ? server.lines : [],
      connections: server.connections(),
      openConnections: server.openConnections(),
    };
    return Response.json(state);
  };
}

function start(
  wanted: ServerRequest,
  certificate: Certificate,
  eximPath: string | undefined,
): Promise<MailServer | ChangeableMailServer | ScriptedServer> {
  if ("exim" in wanted) {
    if (eximPath === undefined) throw new Error("Exim is not installed");
    return startExim(eximPath, certificate);
  }
  if ("mailServer" in wanted) return startMailServer(wanted.mailServer, certificate);
  return startScriptedServer(wanted.script, certificate, wanted.implicitTls ?? false);
}
