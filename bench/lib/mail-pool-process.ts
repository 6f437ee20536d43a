import { createTransport } from "nodemailer";

/** Of a server on this machine. */
interface PoolOptions {
  port: number;
  /** The authority of the server's certificate, in PEM. */
  ca: string;
  messages: number;
  connections: number;
}

// A process of its own, like workerd, so that the server's work and ours do not share a thread.
const { port, ca, messages, connections }: PoolOptions = JSON.parse(process.argv[2] ?? "");
const pool = createTransport({
  pool: true,
  maxConnections: connections,
  host: "localhost",
  port,
  requireTLS: true,
  tls: { ca },
  auth: { user: "postmaster", pass: "correct horse" },
});
const mail = { from: "sender@example.com", to: "ada@example.com", text: "123456\n" };
await Promise.all(
  Array.from({ length: messages }, (_, index) => pool.sendMail({ ...mail, subject: `pool ${index}` })),
);
pool.close();
