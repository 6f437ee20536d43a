import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { Certificate } from "./certificates.ts";

/** How a mail server behaves. */
export interface MailServerSettings {
  implicitTls?: boolean;
  /** Password of user `postmaster`. Default: `correct horse`. */
  password?: string;
  /** SASL mechanisms to offer. If empty, the server does not offer AUTH. */
  mechanisms?: string[];
  /** Extensions to leave out of the EHLO reply. */
  without?: ("STARTTLS" | "SMTPUTF8" | "PIPELINING")[];
  /** Negative replies, such as `550 5.7.1 text`. */
  reject?: Partial<Record<"sender" | "recipient" | "message" | "authentication", string>>;
}

/** How a mail server behaves from now on. */
export interface MailServerBehavior extends Pick<MailServerSettings, "password" | "reject"> {
  /** Negative replies to recipients, by address. */
  rejectRecipients?: Record<string, string>;
  /** Ends a connection after some messages: with a 421 reply to the next command, or without. */
  endAfter?: { messages: number; how: "421" | "close" };
  /** Closes the connection in place of a reply to this many messages, which it accepts. */
  loseReplies?: number;
  /** Time until the reply to a message. */
  replyDelayMs?: number;
  /** Replies to all messages, or to those for these recipients, only once a change ends this. */
  holdsReplies?: boolean | string[];
  /** Rejects more connections at a time, with 421. */
  maxConnections?: number;
  /** Negative replies on a connection that opens while another one is open. */
  rejectBeside?: Pick<NonNullable<MailServerSettings["reject"]>, "sender" | "authentication">;
  /** Rejects all connections, like a host that is down. */
  isDown?: boolean;
}

/** A mail that a server has accepted. */
export interface ReceivedMail {
  mailFrom: string;
  rcptTo: string[];
  /** Header and body, without the doubled dots of the wire. */
  raw: string;
  user: string | undefined;
  mechanism: string | undefined;
  secure: boolean;
  /** The connection that it came over. */
  connection?: string;
}

/** A running mail server. It knows user `postmaster`. */
export interface MailServer {
  port: number;
  messages: ReceivedMail[];
  /** Connections so far. */
  connections(): number;
  openConnections(): number;
  close(): void;
}

/** A mail server that a test can change while it runs. */
export interface ChangeableMailServer extends MailServer {
  change(behavior: MailServerBehavior): Promise<void>;
}

/**
 * Starts a mail server on a free port.
 *
 * @param acceptsToken for XOAUTH2, whether an access token is one of the user's
 */
export async function startMailServer(
  settings: MailServerSettings,
  certificate: Certificate,
  acceptsToken: (user: string, token: string) => Promise<boolean> = async () => false,
): Promise<ChangeableMailServer> {
  const { implicitTls = false, mechanisms = ["PLAIN", "LOGIN"], without = [] } = settings;
  let behavior: MailServerBehavior = settings;
  const messages: ReceivedMail[] = [];
  let connections = 0;
  let lostReplies = 0;
  let released = Promise.withResolvers<void>();
  const besideOthers = new Set<string>();
  const mechanismsUsed = new Map<string, string>();
  const mailsOf = new Map<string, number>();
  const disconnect = (id: string) =>
    [...server.connections].find((connection) => connection.id === id)?.close();
  const rejectsBeside = (id: string) => (besideOthers.has(id) ? behavior.rejectBeside : undefined);
  const isOver = (id: string) =>
    (mailsOf.get(id) ?? 0) >= (behavior.endAfter?.messages ?? Number.POSITIVE_INFINITY);
  const options: SMTPServerOptions = {
    ...certificate,
    secure: implicitTls,
    logger: false,
    authMethods: mechanisms,
    authOptional: mechanisms.length === 0,
    disabledCommands: mechanisms.length === 0 ? ["AUTH"] : [],
    hideSTARTTLS: without.includes("STARTTLS"),
    hideSMTPUTF8: without.includes("SMTPUTF8"),
    hidePIPELINING: without.includes("PIPELINING"),
    onConnect({ id }, done) {
      connections++;
      if (server.connections.size > 1) besideOthers.add(id);
      const isFull = server.connections.size > (behavior.maxConnections ?? Number.POSITIVE_INFINITY);
      done(isFull ? replyError("421 4.7.0 too many connections") : null);
    },
    async onAuth(auth, session, done) {
      mechanismsUsed.set(session.id, auth.method);
      const { reject = {}, password = "correct horse" } = behavior;
      if (auth.method === "XOAUTH2") {
        const { username = "", accessToken = "" } = auth;
        if (await acceptsToken(username, accessToken)) return done(null, { user: username });
        return done(null, { data: { status: "401", schemes: "bearer", scope: "smtp" } });
      }
      const correct = auth.validatePassword?.(password) ?? auth.password === password;
      const rejection = rejectsBeside(session.id)?.authentication ?? reject.authentication;
      if (rejection) return done(replyError(rejection));
      if (auth.username !== "postmaster" || !correct)
        return done(replyError("535 5.7.8 Authentication failed"));
      done(null, { user: auth.username });
    },
    onMailFrom(_, { id }, done) {
      const rejection = rejectsBeside(id)?.sender ?? behavior.reject?.sender;
      const reply = isOver(id) ? "421 4.7.0 try another connection" : rejection;
      done(reply ? replyError(reply) : null);
    },
    onRcptTo({ address }, _, done) {
      const reply = behavior.rejectRecipients?.[address] ?? behavior.reject?.recipient;
      done(reply ? replyError(reply) : null);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", async () => {
        const { reject = {}, loseReplies = 0, endAfter, replyDelayMs = 0, holdsReplies } = behavior;
        if (replyDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, replyDelayMs));
        const { mailFrom, rcptTo } = session.envelope;
        const holds = (address: string) => holdsReplies === true || (holdsReplies || []).includes(address);
        if (rcptTo.some(({ address }) => holds(address))) await released.promise;
        if (reject.message) return done(replyError(reject.message));
        messages.push({
          mailFrom: mailFrom === false ? "" : mailFrom.address,
          rcptTo: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString("utf8"),
          user: session.user as string | undefined,
          mechanism: mechanismsUsed.get(session.id),
          secure: session.secure,
          connection: session.id,
        });
        mailsOf.set(session.id, (mailsOf.get(session.id) ?? 0) + 1);
        if (lostReplies++ < loseReplies) return disconnect(session.id);
        done(null, "2.0.0 Ok: queued as 4F7A1");
        if (endAfter?.how === "close" && isOver(session.id)) disconnect(session.id);
      });
    },
  };
  const server = new SMTPServer(options);
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  server.server.unref();
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    messages,
    connections: () => connections,
    openConnections: () => server.connections.size,
    close: () => server.close(() => {}),
    async change(next) {
      if (next.isDown && !behavior.isDown) {
        server.server.close();
        for (const connection of server.connections) connection.close();
      }
      if (!next.isDown && behavior.isDown) {
        await new Promise<void>((resolve) => server.server.listen(port, "localhost", () => resolve()));
      }
      lostReplies = 0;
      behavior = next;
      if (next.holdsReplies) return;
      released.resolve();
      released = Promise.withResolvers();
    },
  };
}

function replyError(reply: string): Error {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}
