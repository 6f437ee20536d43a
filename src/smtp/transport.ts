import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import SMTPConnection, { type SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";
import { NEGATIVE } from "./reply.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { TlsMode } from "./tls-mode.ts";
import { TransportError } from "./transport-error.ts";

/** Largest reply, in bytes. RFC 5321 section 4.5.3.1.5 allows 512 per line; an EHLO reply has some twenty lines. */
const REPLY_MAX_BYTES = 64 * 1024;

/**
 * Limit of the input before TLS, and of the input between two lines that we send after the handshake, in bytes.
 * Servers usually send about 2 KiB. How many lines an authentication has is limited by its mechanisms.
 */
const INPUT_MAX_BYTES = 128 * 1024;

/** How long the server may take to close its side of the connection after ours, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 500;

/** Longer than any session. */
const NO_TIMEOUT_MS = 60 * 60_000;

interface TransportOptions {
  host: string;
  port: number;
  mode: TlsMode;
  /** Our host name, for EHLO. */
  clientName: string;
  /** Called when the server's first byte arrives. */
  onFirstByte: () => void;
  /** Called with the verb of each EHLO, HELO and STARTTLS command. */
  onCommand: (verb: string) => void;
  /** Called with each reply, and the verb above that it answers, if any. */
  onReply: (verb: string | undefined, reply: string) => void;
}

/**
 * A connection to an SMTP server. The only place that opens sockets, and that knows nodemailer.
 *
 * nodemailer does the handshake: greeting, EHLO, STARTTLS. All later commands are written here: nodemailer waits for a
 * turn of the event loop with each (a millisecond on Workers), and cannot probe.
 */
export class SmtpTransport {
  readonly #options: TransportOptions;
  readonly #socket: net.Socket;
  readonly #connection: SMTPConnection;
  readonly #failure = Promise.withResolvers<never>();
  /** The EHLO, HELO or STARTTLS command whose reply has not arrived. */
  #verb: string | undefined;
  /** Reads the socket that nodemailer uses. */
  #input: { socket: net.Socket; onData: (chunk: Uint8Array) => void; reader: ReplyReader } | undefined;
  /** Since TLS began, or since the last line that was sent after the handshake. */
  #inputBytes = 0;
  /** Whether nodemailer's part is over. */
  #isTakenOver = false;
  /** Commands whose reply has not arrived, in the order sent. */
  readonly #unanswered: ((reply: string) => void)[] = [];
  /** The last reply that answered no command. */
  #lastReply: string | undefined;
  /** Whether the last reply to a command asks for a message. */
  #expectsMessage = false;
  #ended: TransportError | undefined;
  /** Whether any byte has arrived. */
  hasInput = false;
  /** Whether bytes arrived unencrypted after the reply to STARTTLS (CVE-2011-0411). */
  plaintextInjected = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#socket = dial(options);
    this.#connection = new SMTPConnection({
      connection: this.#socket,
      secure: options.mode === "implicit",
      secured: options.mode === "implicit",
      requireTLS: options.mode === "starttls",
      // With an IP address, nodemailer passes no `servername` to STARTTLS, which Workers reject. They check
      // the certificate against the dialed name. (192.0.2.1 is reserved for documentation, RFC 5737.)
      host: "192.0.2.1",
      name: options.clientName,
      logger: this.#logger(),
      transactionLog: true,
      maxResponseSize: REPLY_MAX_BYTES,
      socketCloseTimeout: CLOSE_TIMEOUT_MS,
      // The caller limits the time of each stage.
      connectionTimeout: NO_TIMEOUT_MS,
      greetingTimeout: NO_TIMEOUT_MS,
      socketTimeout: NO_TIMEOUT_MS,
    });
    this.#failure.promise.catch(() => {});
    // nodemailer listens only once it uses the socket, and would wait for the greeting of a server that has gone.
    this.#socket.once("close", () => {
      if (this.#input === undefined) this.#end(this.#closed());
    });
    this.#connection.on("error", (error) => this.#end(this.#toTransportError(error)));
    // nodemailer reports no error after a 421 reply, nor when an idle connection closes.
    this.#connection.on("end", () => {
      if (this.#isTakenOver) for (const reply of this.#input?.reader.end() ?? []) this.#onReply(reply);
      this.#end(this.#closed());
    });
  }

  /** Whether the connection has not ended, as far as is known. */
  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** @throws {TransportError} if the connection has ended */
  assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** Whether the connection is encrypted. (nodemailer documents `_socket` as public.) */
  get encrypted(): boolean {
    return this.#connection._socket instanceof tls.TLSSocket;
  }

  /**
   * Waits for the TCP connection, and for TLS if it is implicit.
   *
   * @throws {TransportError} without a cause: Workers do not reveal it
   */
  async connect(): Promise<void> {
    const event = this.#options.mode === "implicit" ? "secureConnect" : "connect";
    const connected = once(this.#socket, event).catch(() => {
      throw new TransportError("closed");
    });
    await Promise.race([connected, this.#failure.promise]);
  }

  /**
   * Waits for the greeting, then does EHLO and STARTTLS.
   *
   * @throws {TransportError}
   */
  async handshake(): Promise<void> {
    await this.#call((done) => this.#connection.connect(done));
  }

  /**
   * Sends a command, a response to a challenge, or the data of a message, after `handshake()`.
   *
   * @param command without its final CRLF
   * @returns the reply, whatever its code
   * @throws {TransportError} if the connection ends before the reply
   */
  command(command: string): Promise<string> {
    const socket = this.#takeOver();
    // What is written after the server has ended the session could be read as something else.
    if (!this.isOpen) return this.#failure.promise;
    this.#inputBytes = 0;
    const answer = new Promise<string>((resolve) => this.#unanswered.push(resolve));
    socket.write(`${command}\r\n`);
    const reply = Promise.race([answer, this.#failure.promise]);
    // After a pipelined command fails, nobody awaits the replies to the following ones.
    reply.catch(() => {});
    return reply;
  }

  /** Sends commands in one segment (RFC 2920). See {@link SmtpTransport.command}. */
  pipeline(commands: readonly string[]): Promise<string>[] {
    const socket = this.#takeOver();
    socket.cork();
    const replies = commands.map((command) => this.command(command));
    socket.uncork();
    return replies;
  }

  /**
   * Closes the connection, after QUIT and its reply if asked and if the server expects a command (RFC 5321 section
   * 4.1.1.10).
   *
   * @returns once the server has closed its side, or has had the time to
   */
  async close({ quit }: { quit: boolean }): Promise<void> {
    if (quit && this.isOpen && this.#unanswered.length === 0 && !this.#expectsMessage) {
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      this.#connection.on("end", end);
      void this.command("QUIT");
      const timer = setTimeout(() => {
        void this.close({ quit: false });
        end();
      }, CLOSE_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
      return;
    }
    this.#connection.close();
    // nodemailer closes only sockets that it has started to use.
    if (!this.#connection._socket) this.#socket.destroy();
  }

  /** Ends nodemailer's part, except for closing: it no longer reads. */
  #takeOver(): net.Socket {
    if (this.#input === undefined) throw new Error("command() requires handshake()");
    const { socket, onData } = this.#input;
    if (!this.#isTakenOver) socket.removeAllListeners("data").on("data", onData);
    this.#isTakenOver = true;
    return socket;
  }

  /** nodemailer reports commands, new sockets and discarded input only in its log. */
  #logger(): Exclude<SMTPConnectionOptions["logger"], boolean> {
    return {
      debug: ({ tnx }: { tnx?: string }, text: string) => {
        if (tnx !== "client") return;
        this.#verb = /^(EHLO|HELO|STARTTLS)\b/.exec(text)?.[0];
        if (this.#verb !== undefined) this.#options.onCommand(this.#verb);
      },
      warn: ({ discarded }: { discarded?: number }) => {
        this.plaintextInjected ||= discarded !== undefined;
      },
      info: () => this.#watchInput(),
      error: () => {},
    };
  }

  /**
   * Reads the replies on a new socket, before nodemailer does: nodemailer handles one reply per turn of the
   * event loop, and loses the others when the connection closes.
   *
   * Drops a server that sends far more than SMTP needs. nodemailer limits the size of one reply, but not
   * the number of replies that wait to be read, and reading them all would outlast every time limit.
   */
  #watchInput(): void {
    const socket = this.#connection._socket;
    if (!socket || socket === this.#input?.socket) return;
    this.#input?.socket.off("data", this.#input.onData);
    this.#inputBytes = 0;
    const reader = new ReplyReader();
    const onData = (chunk: Uint8Array) => {
      if (!this.hasInput) this.#options.onFirstByte();
      this.hasInput = true;
      this.#inputBytes += chunk.length;
      if (this.#inputBytes > INPUT_MAX_BYTES) {
        socket.removeAllListeners("data").destroy();
        this.#end(new TransportError("protocol_error"));
        return;
      }
      for (const reply of reader.read(chunk)) this.#onReply(reply);
    };
    socket.prependListener("data", onData);
    this.#input = { socket, onData, reader };
  }

  #onReply(reply: string): void {
    const verb = this.#verb;
    this.#verb = undefined;
    this.#options.onReply(verb, reply);
    const answer = this.#unanswered.shift();
    this.#lastReply = answer === undefined ? reply : undefined;
    this.#expectsMessage = answer !== undefined && reply.startsWith("3");
    answer?.(reply);
    // Servers announce with 421 that they close the connection (RFC 5321 section 3.8).
    if (this.#isTakenOver && answer === undefined) {
      this.#end(negative(reply) === undefined ? new TransportError("protocol_error") : this.#closed());
    }
  }

  #end(error: TransportError): void {
    this.#ended ??= error;
    this.#failure.reject(error);
  }

  #call(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    const call = new Promise<void>((resolve, reject) => {
      start((error) => (error ? reject(this.#toTransportError(error)) : resolve()));
    });
    return Promise.race([call, this.#failure.promise]);
  }

  #toTransportError({ code, response }: Error & { code?: string; response?: string }): TransportError {
    const reply = negative(response);
    if (code === "ETIMEDOUT") return new TransportError("timeout", reply);
    const invalid = response !== undefined && reply === undefined;
    if (!invalid && (code === "ECONNECTION" || code === "ESOCKET")) return this.#closed(reply);
    return new TransportError("protocol_error", reply);
  }

  /** A negative reply that nobody asked for, just before the connection closes, is why it closes. */
  #closed(reply = negative(this.#lastReply)): TransportError {
    return new TransportError("closed", reply);
  }
}

function dial({ host, port, mode }: TransportOptions): net.Socket {
  const socket = mode === "implicit" ? tls.connect({ host, port }) : net.connect({ host, port });
  // `connect()` and nodemailer report errors; without a listener, a later one would be unhandled.
  return socket.on("error", () => {});
}

function negative(reply: string | undefined): string | undefined {
  return reply !== undefined && NEGATIVE.test(reply) ? reply : undefined;
}
