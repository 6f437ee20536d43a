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

/** A mail that a server has accepted. */
export interface ReceivedMail {
  mailFrom: string;
  rcptTo: string[];
  /** Header and body, without the doubled dots of the wire. */
  raw: string;
  user: string | undefined;
  mechanism: string | undefined;
  secure: boolean;
}

/** A running mail server. It knows user `postmaster`. */
export interface MailServer {
  port: number;
  mails: ReceivedMail[];
  /** Connections so far. */
  connections(): number;
  openConnections(): number;
  close(): void;
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
): Promise<MailServer> {
  const { implicitTls = false, mechanisms = ["PLAIN", "LOGIN"], without = [], reject = {} } = settings;
  const { password = "correct horse" } = settings;
  const mails: ReceivedMail[] = [];
  let connections = 0;
  const mechanismsUsed = new Map<string, string>();
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
    onConnect(_, done) {
      connections++;
      done();
    },
    async onAuth(auth, session, done) {
      mechanismsUsed.set(session.id, auth.method);
      if (auth.method === "XOAUTH2") {
        const { username = "", accessToken = "" } = auth;
        if (await acceptsToken(username, accessToken)) return done(null, { user: username });
        return done(null, { data: { status: "401", schemes: "bearer", scope: "smtp" } });
      }
      const correct = auth.validatePassword?.(password) ?? auth.password === password;
      if (reject.authentication) return done(replyError(reject.authentication));
      if (auth.username !== "postmaster" || !correct)
        return done(replyError("535 5.7.8 Authentication failed"));
      done(null, { user: auth.username });
    },
    onMailFrom: (_, __, done) => done(reject.sender ? replyError(reject.sender) : null),
    onRcptTo: (_, __, done) => done(reject.recipient ? replyError(reject.recipient) : null),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (reject.message) return done(replyError(reject.message));
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          mailFrom: mailFrom === false ? "" : mailFrom.address,
          rcptTo: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString("utf8"),
          user: session.user as string | undefined,
          mechanism: mechanismsUsed.get(session.id),
          secure: session.secure,
        });
        done(null, "2.0.0 Ok: queued as 4F7A1");
      });
    },
  };
  const server = new SMTPServer(options);
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  server.server.unref();
  const address = server.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    mails,
    connections: () => connections,
    openConnections: () => server.connections.size,
    close: () => server.close(() => {}),
  };
}

function replyError(reply: string): Error {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}
