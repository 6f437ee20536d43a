import { defined } from "../defined.ts";
import type { Message } from "../mail/message.ts";
import type { TokenResult } from "../oauth/token-request.ts";
import { Deadline, TimeoutError } from "./deadline.ts";
import { type DestinationPolicy, destinationProblem } from "./destination.ts";
import { envelopeCommands, envelopeProblem, requiresSmtpUtf8 } from "./envelope.ts";
import { failureOf, isAboutOneMessage } from "./failure-kind.ts";
import { Handshake } from "./handshake.ts";
import { Login } from "./login.ts";
import { encodeMailData } from "./mail-data.ts";
import { Progress } from "./progress.ts";
import { NEGATIVE, POSITIVE, parseReply, replyLine } from "./reply.ts";
import type { FailureKind, SmtpFailure, SmtpResult } from "./result.ts";
import { assertReply, SessionError } from "./session-error.ts";
import { authenticates, type SmtpSettings } from "./smtp-settings.ts";
import { firstByteLimit, type SmtpTimeouts, TEST_TIMEOUTS, timeoutsFor } from "./timeouts.ts";
import { tlsMode } from "./tls-mode.ts";
import { SmtpTransport } from "./transport.ts";
import { TransportError } from "./transport-error.ts";

export interface SmtpSessionOptions extends DestinationPolicy {
  /** Our host name, for EHLO. */
  clientName: string;
  /**
   * Provides access tokens, if the settings ask for one.
   *
   * @param rejected a cached token that the server has just rejected
   */
  accessToken?: (rejected?: string) => Promise<TokenResult>;
  /** Whether DNS has a host name, if known. Asked once the connection to it has failed. */
  hostExists?: ((host: string) => Promise<boolean | undefined>) | undefined;
  /** {@link TEST_TIMEOUTS} by default. */
  timeouts?: SmtpTimeouts;
  /**
   * Sends MAIL, RCPT and DATA at once if the server supports it (RFC 2920). Saves two round trips of each message. A
   * server that rejects one of them and hangs up then resets the connection, which may lose its reply. Default:
   * false.
   */
  pipelining?: boolean;
}

// The only reply after which a server reads a message (RFC 5321 section 4.3.2). After any other, such as 250, it
// would execute the lines of the message as commands.
const EXPECTS_MESSAGE = /^354([ -]|$)/;
const MAY_EXPECT_MESSAGE = /^[23]\d\d/;

/**
 * A session with an SMTP server: `open()`, `send()` for each message, `close()`. A failure closes the
 * connection. Credentials are sent over TLS only, whatever the settings say (RFC 8314 section 3.3).
 */
export class SmtpSession {
  readonly #settings: SmtpSettings;
  readonly #options: SmtpSessionOptions;
  readonly #timeouts: SmtpTimeouts;
  #progress = new Progress();
  readonly #login: Login;
  #connection: Connection | undefined;
  #closed = Promise.resolve();
  readonly #handshake = new Handshake();
  /** Facts of the current transaction, for failures. */
  #contentSent = false;
  #smtputf8 = false;

  constructor(settings: SmtpSettings, options: SmtpSessionOptions) {
    this.#settings = settings;
    this.#login = new Login(settings);
    this.#options = options;
    this.#timeouts = timeoutsFor(settings, options.timeouts ?? TEST_TIMEOUTS);
  }

  /** Connects, encrypts and authenticates. */
  async open(): Promise<SmtpResult> {
    const { host, port } = this.#settings;
    if (destinationProblem(host, this.#options) !== undefined) {
      return { ok: false, failure: this.#failure("forbidden_destination") };
    }
    this.#progress = new Progress();
    const { connectMs, greetingMs, replyMs } = this.#timeouts;
    const firstByteMs = firstByteLimit(this.#settings, this.#timeouts);
    const mode = tlsMode(this.#settings);
    const deadline = new Deadline(this.#timeouts.totalMs);
    const transport = new SmtpTransport({
      host,
      port,
      mode,
      clientName: this.#options.clientName,
      onCommand: (verb) => this.#onCommand(verb),
      onFirstByte: () => deadline.restart(greetingMs - this.#progress.stageMs),
      onReply: (verb, reply) => {
        deadline.restart(replyMs);
        this.#handshake.onReply(verb, reply);
      },
    });
    this.#connection = { transport, deadline, mayPipeline: this.#options.pipelining ?? false };
    const result = await this.#attempt(async (connection) => {
      await deadline.guard(transport.connect(), connectMs);
      this.#progress.complete({ stage: "connect" }, "greeting");
      // Workers report TCP and implicit TLS as one event, so `connect` includes the time of both.
      if (mode === "implicit") this.#progress.complete({ stage: "tls", tls: "implicit" }, "greeting");
      await deadline.guard(transport.handshake(), firstByteMs);
      if (transport.plaintextInjected) throw new SessionError("plaintext_injected");
      if (this.#progress.stage === "greeting") {
        this.#progress.complete({ stage: "greeting" }, transport.encrypted ? "authentication" : "tls");
      }
      this.#progress.offer([...this.#handshake.capabilities.mechanisms]);
      await this.#authenticate(connection);
      this.#progress.opened();
    });
    if (result.ok || result.failure.kind !== "not_connected") return result;
    const exists = await this.#options.hostExists?.(host);
    return exists === false ? { ok: false, failure: { ...result.failure, kind: "unknown_host" } } : result;
  }

  /** Whether the connection can carry another message, as far as is known. */
  get isOpen(): boolean {
    return this.#connection?.transport.isOpen ?? false;
  }

  /**
   * Sends a message. The session stays open after a rejection, unless the server closes it.
   *
   * @param onMessage called when everything but the message itself has been sent and accepted
   * @throws {Error} if `open()` has not succeeded, a failure has closed the session, an address would inject a
   * command, or `onMessage` throws
   */
  async send(message: Message, { onMessage }: { onMessage?: () => void } = {}): Promise<SmtpResult> {
    return this.#attempt(async (connection) => {
      await this.#startMail(connection);
      await this.#transfer(connection, message, onMessage);
    });
  }

  /**
   * Checks whether the server would accept a message, and sends none: MAIL, RCPT and RSET without DATA. Fails if the
   * server questions the settings, or rejects the account or the sender for good.
   *
   * @param message whose envelope, size and extensions are checked
   */
  async probe(message: Message): Promise<SmtpResult> {
    return this.#attempt(async (connection) => {
      await this.#startMail(connection);
      const [mail, rcpt] = this.#envelopeCommands(message);
      connection.unfinished = [];
      const sender = await this.#command(connection, mail);
      this.#progress.complete({ stage: "sender", ...(await this.#probed(sender, message)) }, "recipient");
      if (!POSITIVE.test(sender)) return;
      const recipient = await this.#command(connection, rcpt);
      this.#progress.complete({ stage: "recipient", ...(await this.#probed(recipient, message)) }, "message");
      // The result is known. A server that ends the session now changes nothing.
      if (await this.#reset(connection, []).catch(() => false)) connection.unfinished = undefined;
    });
  }

  /**
   * Closes the connection, with QUIT if it is open. Never fails, and may be called again.
   *
   * @returns once it is closed: a server that limits connections still counts this one until then
   */
  close(): Promise<void> {
    this.#disconnect({ quit: true });
    return this.#closed;
  }

  async #authenticate(connection: Connection): Promise<void> {
    const { transport, deadline } = connection;
    if (!authenticates(this.#settings)) {
      if (!transport.encrypted) this.#progress.complete({ stage: "tls", tls: "none" }, "sender");
      return;
    }
    if (!transport.encrypted) throw new SessionError("credentials_need_tls");
    const result = await this.#login.run(this.#handshake.capabilities.mechanisms, {
      command: (line) => deadline.guard(transport.command(line), this.#timeouts.replyMs),
      token: (rejected) => this.#getToken(connection, rejected),
    });
    if (result === undefined) throw new SessionError("authentication_not_offered");
    assertReply(result.reply, POSITIVE, { isAuthRefused: result.isAuthRefused });
    this.#progress.complete({ stage: "authentication", mechanism: result.mechanism }, "sender");
  }

  async #getToken({ deadline }: Connection, rejected?: string): Promise<TokenResult> {
    const { accessToken, timeouts = TEST_TIMEOUTS } = this.#options;
    if (accessToken === undefined) throw new Error("The session has no source of access tokens");
    this.#progress.moveTo("token");
    // The time limits of the settings are for the SMTP server alone.
    const result = await deadline.guard(accessToken(rejected), timeouts.replyMs).catch((error) => {
      if (!(error instanceof TimeoutError)) throw error;
      return { ok: false, failure: { kind: "unreachable" } } as const;
    });
    if (result.ok && rejected === undefined) this.#progress.complete({ stage: "token" }, "authentication");
    if (result.ok) this.#progress.moveTo("authentication");
    return result;
  }

  #envelopeCommands(message: Message): [mail: string, rcpt: string] {
    const problem = envelopeProblem(message, this.#handshake.capabilities);
    if (problem === undefined) {
      this.#smtputf8 = requiresSmtpUtf8(message);
      return envelopeCommands(message, this.#handshake.capabilities);
    }
    this.#progress.moveTo(problem.stage);
    throw new SessionError(problem.kind);
  }

  /** Starts another message. A failure to end the one before is not about the new one. */
  async #startMail(connection: Connection): Promise<void> {
    this.#progress.startMessage();
    this.#contentSent = false;
    this.#smtputf8 = false;
    const { unfinished } = connection;
    if (unfinished === undefined) return;
    const isReset = await this.#reset(connection, unfinished).catch(() => false);
    if (!isReset) throw new TransportError("closed");
    connection.unfinished = undefined;
  }

  /** Ends a transaction, once the replies to its pipelined commands are in. */
  async #reset(connection: Connection, unfinished: Promise<string>[]): Promise<boolean> {
    const replies = await connection.deadline.guard(Promise.all(unfinished), this.#timeouts.replyMs);
    // The server waits for a message although it has rejected the recipient: only closing ends that safely.
    if (MAY_EXPECT_MESSAGE.test(replies.at(-1) ?? "")) return false;
    return POSITIVE.test(await this.#command(connection, "RSET"));
  }

  async #transfer(connection: Connection, message: Message, onMessage?: () => void): Promise<void> {
    const { transport, deadline } = connection;
    const commands = [...this.#envelopeCommands(message), "DATA"];
    const pipelining = connection.mayPipeline && this.#handshake.capabilities.extensions.has("PIPELINING");
    const pipelined = pipelining ? transport.pipeline(commands) : [];
    const accept = async (index: number, positive: RegExp) => {
      const answer = pipelined[index] ?? transport.command(commands[index] ?? "");
      const reply = await deadline.guard(answer, this.#timeouts.replyMs);
      if (!positive.test(reply)) {
        connection.unfinished = pipelined.slice(index + 1);
        // Servers hang up after some errors (Postfix: smtpd_hard_error_limit), and the last reply must not be lost.
        connection.mayPipeline = false;
      }
      assertReply(reply, positive);
    };
    await accept(0, POSITIVE);
    this.#progress.complete({ stage: "sender" }, "recipient");
    await accept(1, POSITIVE);
    this.#progress.complete({ stage: "recipient" }, "message");
    await accept(2, EXPECTS_MESSAGE);
    transport.assertOpen();
    onMessage?.();
    this.#contentSent = true;
    const answer = transport.command(encodeMailData(message.raw));
    const reply = await deadline.guard(answer, this.#timeouts.messageReplyMs);
    assertReply(reply, POSITIVE);
    this.#progress.complete({ stage: "message", reply: parseReply(reply).text }, "message");
  }

  #command({ transport, deadline }: Connection, command: string): Promise<string> {
    return deadline.guard(transport.command(command), this.#timeouts.replyMs);
  }

  #onCommand(verb: string): void {
    this.#handshake.onCommand(verb);
    // The EHLO after STARTTLS shows that the handshake is complete.
    if (verb === "EHLO" && this.#progress.stage === "tls" && !this.#connection?.transport.plaintextInjected) {
      this.#progress.complete({ stage: "tls", tls: "STARTTLS" }, "authentication");
    }
    if (verb === "STARTTLS") this.#progress.complete({ stage: "greeting" }, "tls");
  }

  async #attempt(work: (connection: Connection) => Promise<void>): Promise<SmtpResult> {
    if (this.#connection === undefined) throw new Error("The SMTP session is not open");
    try {
      await work(this.#connection);
      return { ok: true, steps: this.#progress.steps };
    } catch (error) {
      const failure = this.#failureOf(error);
      if (failure === undefined || !isAboutOneMessage(failure)) this.#disconnect({ quit: false });
      if (failure === undefined) throw error;
      return { ok: false, failure };
    }
  }

  #disconnect(how: { quit: boolean }): void {
    this.#connection?.deadline.stop();
    this.#closed = this.#connection?.transport.close(how) ?? this.#closed;
    this.#connection = undefined;
  }

  /** @returns `undefined` for an error that no server causes */
  #failureOf(error: unknown): SmtpFailure | undefined {
    if (error instanceof SessionError) return { ...this.#failure(error.kind), ...error.details };
    if (!(error instanceof TransportError || error instanceof TimeoutError)) return undefined;
    const hasInput = this.#connection?.transport.hasInput ?? false;
    const { kind, reply } = failureOf(error, {
      stage: this.#progress.stage,
      handshake: this.#handshake,
      hasInput,
    });
    const failure = this.#failure(kind, reply === undefined ? undefined : this.#redact(reply));
    return kind === "silent" ? { ...failure, silentMs: this.#progress.stageMs } : failure;
  }

  /** A negative reply within a probe. Throws if it questions the settings. */
  async #probed(reply: string, { envelope }: Message): Promise<{ reply?: string }> {
    if (POSITIVE.test(reply)) return {};
    if (!NEGATIVE.test(reply)) assertReply(reply, POSITIVE);
    // Loaded on demand: most servers accept both.
    const { classify } = await import("./replies/classify.ts");
    const context = { settings: this.#settings, recipient: envelope.to };
    const { cause } = classify(this.#failure("reply", reply), context);
    const isPermanent = reply.startsWith("5");
    // A sender that is rejected for good is rejected in every message, whatever the words.
    const isOfSender = isPermanent && this.#progress.stage === "sender" && cause !== "message";
    const isOfAccount = isPermanent && cause === "account";
    if (cause === "settings" || isOfSender || isOfAccount) assertReply(reply, POSITIVE);
    return { reply: replyLine(parseReply(this.#redact(reply))) };
  }

  #failure(kind: FailureKind, reply?: string): SmtpFailure {
    const { stage, steps } = this.#progress;
    const contentSent = this.#contentSent && kind !== "reply";
    const words = defined({ reply, challenge: this.#login.challenge });
    return { kind, stage, steps, contentSent, smtputf8: this.#smtputf8, ...words };
  }

  /**
   * Redacts credentials in replies up to the first to MAIL. Later ones repeat what the caller may choose, such as a
   * recipient: redaction there would reveal whether a guess is the stored password.
   */
  #redact(reply: string): string {
    return this.#progress.hasSender ? reply : this.#login.redact(reply);
  }
}

interface Connection {
  transport: SmtpTransport;
  deadline: Deadline;
  mayPipeline: boolean;
  /** The transaction of a rejected message: the replies to the commands that were pipelined behind it. */
  unfinished?: Promise<string>[] | undefined;
}
