import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * Forwards connections to a local port as over a network with this round trip.
 *
 * @returns the port to use
 */
export async function delayedPort(target: number, roundTripMs: number): Promise<number> {
  const proxy = createServer((client) => {
    client.setNoDelay();
    client.on("error", () => {});
    const arrivals: Buffer[] = [];
    const collect = (chunk: Buffer) => arrivals.push(chunk);
    client.on("data", collect);
    // The handshake of TCP takes one round trip and a half until the server sees the connection.
    setTimeout(() => {
      const server = connect({ port: target, host: "localhost", noDelay: true });
      server.on("error", () => {});
      client.off("data", collect);
      for (const chunk of arrivals) server.write(chunk);
      forward(client, server, roundTripMs / 2);
      forward(server, client, roundTripMs / 2);
    }, 1.5 * roundTripMs);
  });
  return listen(proxy);
}

/** Listens on a free port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, "localhost").unref();
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  return address.port;
}

function forward(from: Socket, to: Socket, delayMs: number): void {
  from.on("data", (chunk) => setTimeout(() => to.write(chunk), delayMs));
  from.on("end", () => setTimeout(() => to.end(), delayMs));
  from.on("close", () => setTimeout(() => to.end(), delayMs));
}
