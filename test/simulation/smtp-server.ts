import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Certificate } from "../support/smtp/certificates.ts";
import type { ServerRecord, ServerTime } from "./control.ts";
import type { Behavior, Moment } from "./scenario.ts";

/** A running server whose clock stands still until it is set. */
export interface SimulatedSmtpServer {
  port: number;
  record: ServerRecord;
  /**
   * Sets the clock.
   *
   * @throws {Error} if connections are left that do not end by themselves
   */
  setTime(time: ServerTime): Promise<void>;
  close(): void;
}

/** In which real time a client ends its connections after a delivery run. */
const CLOSING_MS = 5_000;

const EXTENSIONS = {
  plain: "250-mx.example.net\r\n250-PIPELINING\r\n250 8BITMIME",
  authenticating: "250-mx.example.net\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 8BITMIME",
};

const OUT_OF_ORDER = "503 5.5.1 Error: bad sequence of commands";

interface ServerState {
  behavior: Behavior;
  logsIn: boolean;
  record: ServerRecord;
  minute: number;
  connections: Set<Connection>;
  connectionCount: number;
}

/**
 * Starts a server on a free port. It does what RFC 5321 asks of it, except where its behavior differs. Written for
 * this purpose, since a library's pause before the greeting costs minutes.
 *
 * @param certificate the server speaks implicit TLS and offers AUTH PLAIN if there is one
 */
export async function startSimulatedServer(
  behavior: Behavior,
  certificate: Certificate | undefined,
): Promise<SimulatedSmtpServer> {
  const record: ServerRecord = { contents: [], attempts: [], logins: [] };
  const state: ServerState = {
    behavior,
    logsIn: certificate !== undefined,
    record,
    minute: 0,
    connections: new Set(),
    connectionCount: 0,
  };
  const serve = (socket: Socket) => {
    const connection = new Connection(socket, state);
    state.connections.add(connection);
    socket.on("close", () => state.connections.delete(connection));
    connection.greet();
  };
  const server: Server =
    certificate === undefined ? createServer(serve) : createTlsServer({ ...certificate }, serve);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  server.unref();
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    record,
    async setTime({ minute, keepsConnection }) {
      if (!keepsConnection) {
        await Promise.all([...state.connections].map((connection) => connection.ended(CLOSING_MS)));
        if (state.connections.size > 0) throw new Error("a connection is left between two delivery runs");
      }
      state.minute = minute;
    },
    close() {
      server.close();
      for (const connection of state.connections) connection.destroy();
    },
  };
}

class Connection {
  readonly #socket: Socket;
  readonly #state: ServerState;
  readonly #number: number;
  readonly #ended: Promise<void>;
  #input = "";
  #isOver = false;
  #readsContent = false;
  #isAuthenticated = false;
  #accepted = 0;
  #password = "";
  #from: string | undefined;
  #to: string | undefined;

  constructor(socket: Socket, state: ServerState) {
    this.#socket = socket;
    this.#state = state;
    this.#number = state.connectionCount++;
    this.#ended = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  greet(): void {
    const { behavior, logsIn, record, minute } = this.#state;
    if (!logsIn) record.logins.push(minute);
    this.#reply(behavior.greeting?.(this.#moment()) ?? "220 mx.example.net ESMTP");
  }

  /** Waits until the connection has ended, but not for longer. */
  async ended(milliseconds: number): Promise<void> {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([this.#ended, timeout]);
    clearTimeout(timer);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #moment(subject = ""): Moment {
    const { minute, connections } = this.#state;
    return {
      minute,
      connection: this.#number,
      others: [...connections].filter((other) => other !== this && !other.#isOver).length,
      accepted: this.#accepted,
      password: this.#password,
      from: this.#from ?? "",
      to: this.#to ?? "",
      subject,
    };
  }

  #read(chunk: Buffer): void {
    this.#input += chunk.toString("latin1");
    while (!this.#isOver) {
      const end = this.#readsContent ? "\r\n.\r\n" : "\r\n";
      const index = this.#input.indexOf(end);
      if (index < 0) return;
      const text = this.#input.slice(0, index);
      this.#input = this.#input.slice(index + end.length);
      this.#reply(this.#readsContent ? this.#onContent(text) : this.#onCommand(text));
    }
  }

  #onCommand(line: string): string {
    const [verb = ""] = line.toUpperCase().split(" ");
    switch (verb) {
      case "EHLO":
        return this.#state.logsIn ? EXTENSIONS.authenticating : EXTENSIONS.plain;
      case "AUTH":
        return this.#onAuth(line);
      case "MAIL":
        return this.#onMail(line);
      case "RCPT":
        return this.#onRcpt(line);
      case "DATA":
        this.#readsContent = this.#to !== undefined;
        return this.#readsContent ? "354 End data with <CR><LF>.<CR><LF>" : OUT_OF_ORDER;
      case "RSET":
        this.#startTransaction();
        return "250 2.0.0 Ok";
      case "QUIT":
        return "221 2.0.0 Bye";
      default:
        return "502 5.5.2 Error: command not recognized";
    }
  }

  #onAuth(line: string): string {
    const { behavior, record, minute } = this.#state;
    record.logins.push(minute);
    const response = Buffer.from(line.split(" ")[2] ?? "", "base64").toString("utf8");
    this.#password = response.split("\0")[2] ?? "";
    const refusal = behavior.authentication?.(this.#moment());
    this.#isAuthenticated = refusal === undefined;
    return refusal ?? "235 2.7.0 Authentication successful";
  }

  #onMail(line: string): string {
    const { behavior, record, minute, logsIn } = this.#state;
    record.attempts.push(minute);
    if (logsIn && !this.#isAuthenticated) return "530 5.7.0 Authentication required";
    this.#startTransaction();
    this.#from = addressOf(line);
    const refusal = behavior.sender?.(this.#moment());
    if (refusal !== undefined) this.#startTransaction();
    return refusal ?? "250 2.1.0 Ok";
  }

  #onRcpt(line: string): string {
    if (this.#from === undefined) return OUT_OF_ORDER;
    this.#to = addressOf(line);
    const refusal = this.#state.behavior.recipient?.(this.#moment());
    if (refusal !== undefined) this.#to = undefined;
    return refusal ?? "250 2.1.5 Ok";
  }

  #onContent(content: string): string {
    this.#readsContent = false;
    const { behavior, record, minute } = this.#state;
    const header = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(content)?.[1]?.trim() ?? "";
    const refusal = behavior.message?.(this.#moment(header("Subject")));
    const outcome = refusal === "close" ? "unknown" : refusal === undefined ? "accepted" : "rejected";
    record.contents.push({ messageId: header("Message-ID"), minute, outcome });
    this.#startTransaction();
    if (outcome === "accepted") this.#accepted++;
    return refusal ?? "250 2.0.0 Ok: queued as 4F7A1";
  }

  #startTransaction(): void {
    this.#from = undefined;
    this.#to = undefined;
  }

  /** Sends a reply; ends the connection after 221 and 421 (RFC 5321 section 3.8), and in place of `close`. */
  #reply(reply: string): void {
    if (reply !== "close") this.#socket.write(`${reply}\r\n`);
    if (!/^(close|[24]21)/.test(reply)) return;
    this.#isOver = true;
    this.#socket.end();
  }
}

function addressOf(line: string): string {
  return /<(.*?)>/.exec(line)?.[1] ?? "";
}
