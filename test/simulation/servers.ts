import { newAuthority, trust } from "../support/smtp/certificates.ts";
import type { ServerTime, SimulatedServer } from "./control.ts";
import { seeded } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { type SimulatedSmtpServer, startSimulatedServer } from "./smtp-server.ts";

/**
 * Real SMTP servers in Node, on loopback ports, that behave as the scenarios say.
 *
 * @returns the handler of requests to `SIMULATION_ORIGIN`
 */
export async function simulatedServers(): Promise<(request: Request) => Promise<Response>> {
  const authority = await newAuthority();
  trust(authority);
  const servers = new Map<number, SimulatedSmtpServer>();

  async function start({ scenario: id, pace, seed }: SimulatedServer): Promise<Response> {
    const scenario = SCENARIOS.find((candidate) => candidate.id === id);
    if (scenario === undefined) return new Response("no such scenario", { status: 404 });
    const behavior = scenario.behavior(seeded(seed), pace);
    const server = await startSimulatedServer(behavior, scenario.logsIn ? authority.trusted : undefined);
    servers.set(server.port, server);
    return Response.json({ port: server.port });
  }

  return async function respond(request) {
    if (request.method === "POST") return start((await request.json()) as SimulatedServer);
    const port = Number(new URL(request.url).searchParams.get("port"));
    const server = servers.get(port);
    if (server === undefined) return new Response("no such server", { status: 404 });
    if (request.method === "GET") return Response.json(server.record);
    if (request.method === "PUT") await server.setTime((await request.json()) as ServerTime);
    if (request.method === "DELETE") {
      server.close();
      servers.delete(port);
    }
    return new Response(null, { status: 204 });
  };
}
