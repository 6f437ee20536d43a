import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { Certificate } from "./certificates.ts";

/** How a mail server is to be. */
export interface MailServerSettings {
  implicitTls?: boolean;
  /** Of the user `postmaster`; `correct horse` unless told. */
  password?: string;
  /** Mechanisms to offer; none: AUTH is not offered. */
  mechanisms?: string[];
  /** Extensions to leave out of the EHLO reply. */
  without?: ("STARTTLS" | "SMTPUTF8" | "PIPELINING")[];
  /** Offers AUTH before TLS as well. */
  insecureAuth?: boolean;
  /** Replies to give in place of taking the sender, recipient, message, or user and password: `550 5.7.1 text`. */
  refuse?: Partial<Record<"sender" | "recipient" | "message" | "authentication", string>>;
}

/** A mail as it arrived. */
export interface ArrivedMail {
  mailFrom: string;
  rcptTo: string[];
  /** As it was on the wire, undotted. */
  raw: string;
  user: string | undefined;
  mechanism: string | undefined;
  secure: boolean;
}

/** A mail server that takes the user `postmaster` with a password. */
export interface MailServer {
  port: number;
  mails: ArrivedMail[];
  /** How many connections there have been. */
  connections(): number;
  /** Connections that are still open. */
  open(): number;
  close(): void;
}

/** Starts a mail server on a port of its own. */
export async function startMailServer(
  settings: MailServerSettings,
  certificate: Certificate,
): Promise<MailServer> {
  const { implicitTls = false, mechanisms = ["PLAIN", "LOGIN"], without = [], refuse = {} } = settings;
  const { password = "correct horse" } = settings;
  const mails: ArrivedMail[] = [];
  let connections = 0;
  const mechanismsUsed = new Map<string, string>();
  const options: SMTPServerOptions = {
    ...certificate,
    secure: implicitTls,
    logger: false,
    authMethods: mechanisms,
    authOptional: mechanisms.length === 0,
    disabledCommands: mechanisms.length === 0 ? ["AUTH"] : [],
    allowInsecureAuth: settings.insecureAuth ?? false,
    hideSTARTTLS: without.includes("STARTTLS"),
    hideSMTPUTF8: without.includes("SMTPUTF8"),
    hidePIPELINING: without.includes("PIPELINING"),
    onConnect(_, done) {
      connections++;
      done();
    },
    onAuth(auth, session, done) {
      mechanismsUsed.set(session.id, auth.method);
      const correct = auth.validatePassword?.(password) ?? auth.password === password;
      if (refuse.authentication) return done(refusal(refuse.authentication));
      if (auth.username !== "postmaster" || !correct) return done(refusal("535 5.7.8 Authentication failed"));
      done(null, { user: auth.username });
    },
    onMailFrom: (_, __, done) => done(refuse.sender ? refusal(refuse.sender) : null),
    onRcptTo: (_, __, done) => done(refuse.recipient ? refusal(refuse.recipient) : null),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (refuse.message) return done(refusal(refuse.message));
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
    open: () => server.connections.size,
    close: () => server.close(() => {}),
  };
}

function refusal(reply: string): Error {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}
