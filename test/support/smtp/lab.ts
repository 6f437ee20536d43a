import { type Certificate, newAuthority, trust } from "./certificates.ts";
import { startExim } from "./exim.ts";
import { type MailServer, startMailServer } from "./mail-server.ts";
import type { Findings, Order } from "./orders.ts";
import { type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

/** Real SMTP servers in Node, on ports of loopback, which tests in workerd order by HTTP. */
export async function startLab(
  eximPath: string | undefined,
): Promise<(request: Request) => Promise<Response>> {
  const authority = await newAuthority();
  trust(authority);
  const servers = new Map<number, MailServer | ScriptedServer>();

  return async function answer(request) {
    if (request.method === "POST") {
      const order = (await request.json()) as Order;
      const server = await start(order, authority[order.certificate ?? "trusted"], eximPath);
      servers.set(server.port, server);
      return Response.json({ port: server.port });
    }
    const server = servers.get(Number(new URL(request.url).searchParams.get("port")));
    if (server === undefined) return new Response("no such server", { status: 404 });
    const findings: Findings = {
      mails: "mails" in server ? server.mails : [],
      lines: "lines" in server ? server.lines : [],
      connections: server.connections(),
      openConnections: server.open(),
    };
    if (request.method === "DELETE") server.close();
    return Response.json(findings);
  };
}

function start(
  order: Order,
  certificate: Certificate,
  eximPath: string | undefined,
): Promise<MailServer | ScriptedServer> {
  if ("exim" in order) {
    if (eximPath === undefined) throw new Error("Exim is not installed");
    return startExim(eximPath, certificate);
  }
  if ("mailServer" in order) return startMailServer(order.mailServer, certificate);
  return startScriptedServer(order.script, certificate, order.implicitTls ?? false);
}
