import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import type { Certificate } from "./certificates.ts";

/** One action of a script. */
export type ScriptAction =
  /** Sends text unchanged. */
  | { send: string }
  /** Waits for a line that starts with this text. */
  | { expect: string }
  /** Sends text, one character at a time. */
  | { drip: string; everyMs: number }
  /** Repeats text until the client disconnects. */
  | { flood: string }
  /** Starts TLS. */
  | { startTls: true }
  /** Closes the connection, after what was sent before. */
  | { close: true }
  | { hang: true }
  /** Waits until the test releases the server. */
  | { wait: true };

/** A running server that follows a script, so it can violate the protocol in any way. */
export interface ScriptedServer {
  port: number;
  /** All lines that clients have sent, with and without TLS. */
  lines: string[];
  /** Connections so far. */
  connections(): number;
  openConnections(): number;
  /** Ends every `wait`, now and later. */
  release(): void;
}

/** Starts a server that runs `script` for each client, on a free port. */
export async function startScriptedServer(
  script: readonly ScriptAction[],
  certificate: Certificate,
  implicitTls: boolean,
): Promise<ScriptedServer> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let connections = 0;
  const serve = (socket: Socket) => {
    sockets.add(socket);
    connections++;
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    void runScript(script, socket, certificate, lines, released);
  };
  const server: Server = implicitTls ? createTlsServer(certificate, serve) : createServer(serve);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  server.unref();
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    lines,
    connections: () => connections,
    openConnections: () => sockets.size,
    release,
  };
}

async function runScript(
  script: readonly ScriptAction[],
  plain: Socket,
  certificate: Certificate,
  lines: string[],
  released: Promise<void>,
): Promise<void> {
  let socket = plain;
  let input = readLines(socket, lines);
  for (const action of script) {
    if (socket.destroyed) return;
    if ("send" in action) socket.write(action.send);
    if ("close" in action) socket.destroySoon();
    if ("wait" in action) await released;
    if ("hang" in action) await new Promise(() => {});
    if ("flood" in action) await flood(socket, action.flood);
    if ("drip" in action) await drip(socket, action.drip, action.everyMs);
    if ("expect" in action) await waitFor(input, action.expect);
    if ("startTls" in action) {
      input.stop();
      socket = new TLSSocket(plain, { isServer: true, ...certificate });
      socket.on("error", () => {});
      input = readLines(socket, lines);
    }
  }
}

interface LineReader {
  next(): Promise<string>;
  stop(): void;
}

function readLines(socket: Socket, log: string[]): LineReader {
  const unread: string[] = [];
  let [rest, wake] = ["", () => {}];
  const onData = (chunk: Buffer) => {
    const parts = (rest + chunk.toString("utf8")).split("\r\n");
    rest = parts.pop() ?? "";
    unread.push(...parts);
    log.push(...parts);
    wake();
  };
  socket.on("data", onData);
  return {
    async next() {
      for (;;) {
        const line = unread.shift();
        if (line !== undefined) return line;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    stop: () => socket.off("data", onData),
  };
}

async function waitFor(input: LineReader, start: string): Promise<void> {
  while (!(await input.next()).startsWith(start)) {
    // Skips other lines.
  }
}

async function drip(socket: Socket, text: string, everyMs: number): Promise<void> {
  for (const character of text) {
    if (socket.destroyed) return;
    socket.write(character);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

async function flood(socket: Socket, text: string): Promise<void> {
  let wake = () => {};
  socket.on("drain", () => wake()).on("close", () => wake());
  while (!socket.destroyed) {
    if (socket.write(text)) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
