import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import type { Certificate } from "./certificates.ts";

/** One thing that a scripted server does; it goes on to the next when that is done. */
export type Act =
  /** Sends text as it is. */
  | { send: string }
  /** Waits for a line that begins so. */
  | { expect: string }
  /** Sends text, one character at a time. */
  | { drip: string; everyMs: number }
  /** Sends the same text over and over, until the client goes. */
  | { flood: string }
  /** Goes on in TLS. */
  | { startTls: true }
  | { close: true }
  | { hang: true };

/** A server that plays its part without understanding a word, so that it can misbehave in any way. */
export interface ScriptedServer {
  port: number;
  /** All lines that clients have sent, in clear or in TLS. */
  lines: string[];
  /** How many connections there have been. */
  connections(): number;
  /** Connections that are still open. */
  open(): number;
  close(): void;
}

/** Starts a server that plays `script` to each client, on a port of its own. */
export async function startScriptedServer(
  script: readonly Act[],
  certificate: Certificate,
  implicitTls: boolean,
): Promise<ScriptedServer> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const play = (socket: Socket) => {
    sockets.add(socket);
    connections++;
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    void perform(script, socket, certificate, lines);
  };
  const server: Server = implicitTls ? createTlsServer(certificate, play) : createServer(play);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  server.unref();
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    lines,
    connections: () => connections,
    open: () => sockets.size,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function perform(
  script: readonly Act[],
  plain: Socket,
  certificate: Certificate,
  lines: string[],
): Promise<void> {
  let socket = plain;
  let input = readLines(socket, lines);
  for (const act of script) {
    if (socket.destroyed) return;
    if ("send" in act) socket.write(act.send);
    if ("close" in act) socket.destroy();
    if ("hang" in act) await new Promise(() => {});
    if ("flood" in act) await flood(socket, act.flood);
    if ("drip" in act) await drip(socket, act.drip, act.everyMs);
    if ("expect" in act) await waitFor(input, act.expect);
    if ("startTls" in act) {
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
    // Lines before are of no interest.
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
