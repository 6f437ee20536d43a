import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import {
  SMTP_CLOSE_TIMEOUT_MS,
  SMTP_CONNECT_TIMEOUT_MS,
  SMTP_CONVERSATION_MAX_BYTES,
  SMTP_GREETING_TIMEOUT_MS,
  SMTP_REPLY_MAX_BYTES,
  SMTP_TOTAL_TIMEOUT_MS,
} from "../limits.ts";
import { Conversation, SmtpFailure, type Step } from "./conversation.ts";
import { type DestinationPolicy, refusePrivateDestination } from "./destination.ts";
import type { Message } from "./message.ts";
import { ProtocolLog } from "./protocol-log.ts";
import { parseReply, withoutCredentials } from "./reply.ts";
import type { SmtpSettings } from "./smtp-settings.ts";
import { type TlsMode, tlsMode } from "./tls-mode.ts";
import { TimeoutError, Watchdog } from "./watchdog.ts";

/** What to say to a server, and as whom. */
export interface Errand {
  /** Our own host name, for EHLO. */
  clientName: string;
  /** What to send; without it the conversation ends after authentication. */
  message?: Message;
}

// The order of nodemailer; over TLS the simplest is the best kept.
const MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5"];

/**
 * Talks to the server of these settings: connects, encrypts, authenticates, and sends the message, if any.
 * Credentials go over TLS only, whatever the settings say (RFC 8314 section 3.3).
 *
 * @returns the stages passed
 * @throws {SmtpFailure} with the stage that failed and those passed before; the socket is closed by then
 * @throws {RefusedError} `invalid_fields` where `policy` forbids the host
 */
export async function converse(
  settings: SmtpSettings,
  errand: Errand,
  policy: DestinationPolicy,
): Promise<Step[]> {
  refusePrivateDestination(settings.host, policy);
  const conversation = new Conversation();
  const watchdog = new Watchdog(SMTP_TOTAL_TIMEOUT_MS);
  const log = new ProtocolLog(conversation, watchdog);
  const mode = tlsMode(settings);
  const socket = dial(settings, mode);
  const connection = connectionOver(socket, mode, errand.clientName, log);
  try {
    watchdog.allow(SMTP_CONNECT_TIMEOUT_MS);
    await watchdog.guard(once(socket, mode === "implicit" ? "secureConnect" : "connect"));
    conversation.pass({ stage: "connect" }, "greeting");
    // Workers report the TCP connection and its TLS handshake as one, so the time of both is in `connect`.
    if (mode === "implicit") conversation.pass({ stage: "tls", tls: "implicit" }, "greeting");
    watchdog.allow(SMTP_GREETING_TIMEOUT_MS);
    const broken = new Promise<never>((_, reject) => connection.on("error", reject));
    await watchdog.guard(
      Promise.race([
        broken,
        flood(connection, log),
        talk(connection, settings, errand.message, conversation, log),
      ]),
    );
    return conversation.steps;
  } catch (error) {
    throw failureOf(error, settings, conversation, log);
  } finally {
    watchdog.stop();
    connection.close();
    if (conversation.stage === "connect") socket.destroy();
  }
}

function dial({ host, port }: SmtpSettings, mode: TlsMode): net.Socket {
  const socket = mode === "implicit" ? tls.connect({ host, port }) : net.connect({ host, port });
  // What happens to a socket that nobody waits for any more is nobody's concern.
  return socket.on("error", () => {});
}

function connectionOver(
  socket: net.Socket,
  mode: TlsMode,
  name: string,
  logger: ProtocolLog,
): SMTPConnection {
  return new SMTPConnection({
    connection: socket,
    secure: mode === "implicit",
    secured: mode === "implicit",
    requireTLS: mode === "starttls",
    // An address makes nodemailer pass no `servername` to STARTTLS, which Workers refuse; the certificate
    // is checked against the name that was dialled. (192.0.2.1 is for documentation, RFC 5737.)
    host: "192.0.2.1",
    name,
    logger,
    transactionLog: true,
    maxResponseSize: SMTP_REPLY_MAX_BYTES,
    socketCloseTimeout: SMTP_CLOSE_TIMEOUT_MS,
  });
}

/**
 * Ends a conversation in which the server says far more than SMTP has to say: nodemailer bounds one reply,
 * yet not how many wait to be read, and working through them would outlast every time limit.
 */
function flood(connection: SMTPConnection, log: ProtocolLog): Promise<never> {
  return new Promise((_, reject) => {
    let [current, bytes]: [unknown, number] = [undefined, 0];
    log.onNews = () => {
      const socket = connection._socket;
      if (!socket || socket === current) return;
      current = socket;
      socket.on("data", (chunk: Uint8Array) => {
        bytes += chunk.length;
        if (bytes <= SMTP_CONVERSATION_MAX_BYTES) return;
        socket.removeAllListeners("data").destroy();
        reject(new Error("flood"));
      });
    };
  });
}

async function talk(
  connection: SMTPConnection,
  settings: SmtpSettings,
  message: Message | undefined,
  conversation: Conversation,
  log: ProtocolLog,
): Promise<void> {
  await called((done) => connection.connect(done));
  if (log.plaintextInjected) throw conversation.failure("plaintext_injected");
  if (conversation.stage === "tls") conversation.pass({ stage: "tls", tls: "STARTTLS" }, "authentication");
  else conversation.pass({ stage: "greeting" }, connection.secure ? "authentication" : "tls");

  const { auth, user, password } = settings;
  if (auth !== false && user !== undefined && password !== undefined) {
    if (!connection.secure) throw conversation.failure("credentials_need_tls");
    const mechanism = MECHANISMS.find((name) => log.mechanisms().includes(name));
    if (mechanism === undefined) throw conversation.failure("authentication_not_offered");
    await called((done) => connection.login({ user, pass: password, method: mechanism }, done));
    conversation.pass({ stage: "authentication", mechanism }, "sender");
  } else if (!connection.secure) {
    conversation.pass({ stage: "tls", tls: "none" }, "sender");
  }
  if (message !== undefined) {
    const response = await send(connection, message, conversation, log);
    conversation.pass({ stage: "message", reply: parseReply(response).text }, "message");
  }
  // Said, and not waited for: the socket is closed right after.
  connection.quit();
}

async function send(
  connection: SMTPConnection,
  message: Message,
  conversation: Conversation,
  log: ProtocolLog,
): Promise<string> {
  // nodemailer would send such an address without the extension, as bytes that the server cannot read.
  const { envelope, raw } = message;
  const unspeakable = log.offers("SMTPUTF8") ? undefined : unspeakableStage(message);
  conversation.stage = unspeakable ?? "sender";
  if (unspeakable !== undefined) throw conversation.failure("smtputf8_not_offered");
  if (message.headerNeedsSmtpUtf8 && isAscii(envelope.from + envelope.to)) announceSmtpUtf8(connection);
  const info = await called<{ response: string }>((done) =>
    connection.send({ ...envelope, size: raw.length }, raw, done),
  );
  return info.response;
}

function failureOf(
  error: unknown,
  settings: SmtpSettings,
  conversation: Conversation,
  log: ProtocolLog,
): SmtpFailure {
  if (error instanceof SmtpFailure) return error;
  if (conversation.stage === "connect") return conversation.failure("not_connected");
  if (!log.greeted) return conversation.failure("not_smtp");
  const { code, response = "" } = error as { code?: string; response?: string };
  const reply = /^[45]\d\d/.test(response) ? shownReply(response, settings, conversation) : undefined;
  if (conversation.stage === "tls" && !log.startTlsOffered) {
    return conversation.failure("starttls_not_offered", reply);
  }
  if (error instanceof TimeoutError || code === "ETIMEDOUT") return conversation.failure("timeout");
  if (reply !== undefined) return conversation.failure("reply", reply);
  // Found by nodemailer, by the server's SIZE; with a response, it is rubbish in answer to the message.
  if (code === "EMESSAGE" && response === "")
    return new SmtpFailure("too_large", "message", conversation.steps);
  if (conversation.stage === "tls") return conversation.failure("tls_failed");
  return conversation.failure(code === "ECONNECTION" || code === "ESOCKET" ? "closed" : "protocol_error");
}

/**
 * Blots credentials out of replies to AUTH only. Later ones repeat what the caller may choose, such as a
 * recipient: blotting there would tell whether a guess is the stored password.
 */
function shownReply(reply: string, { user, password }: SmtpSettings, { stage }: Conversation): string {
  return stage === "authentication" ? withoutCredentials(reply, user, password) : reply;
}

/** Turns a call with a callback into a promise. */
function called<Result>(
  call: (done: (error?: Error | null, result?: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result as Result)));
  });
}

/** nodemailer announces SMTPUTF8 for an envelope that needs it; a header can need it as well (RFC 6531 section 3.4). */
function announceSmtpUtf8(connection: SMTPConnection): void {
  const sendCommand = Reflect.get(connection, "_sendCommand") as (command: string, logged?: string) => void;
  Reflect.set(connection, "_sendCommand", (command: string, logged?: string) => {
    const extended = command.startsWith("MAIL FROM:") ? `${command} SMTPUTF8` : command;
    sendCommand.call(connection, extended, logged);
  });
}

function unspeakableStage(message: Message): "sender" | "recipient" | undefined {
  const { from, to } = message.envelope;
  if (!isAscii(from)) return "sender";
  if (!isAscii(to)) return "recipient";
  return message.headerNeedsSmtpUtf8 ? "sender" : undefined;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
