import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, chmodSync, constants, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Certificate } from "./certificates.ts";
import { type ReceivedMail, startMailServer } from "./mail-server.ts";
import {
  dovecotConfiguration,
  HOSTILE_RECIPIENT,
  mainConfiguration,
  masterConfiguration,
} from "./postfix-configuration.ts";

/** The listeners of the Postfix under test, with what differs from a common submission service. */
const POSTFIX_SERVICES = {
  submission: [],
  submissions: ["smtpd_tls_wrappermode=yes"],
  authenticatedClientsOnly: ["smtpd_client_restrictions=permit_sasl_authenticated,reject"],
  clientCertificate: ["smtpd_tls_security_level=encrypt", "smtpd_tls_req_ccert=yes"],
  oneError: ["smtpd_hard_error_limit=1"],
  smallMessages: ["message_size_limit=300"],
  smallMessagesUndeclared: ["message_size_limit=300", "smtpd_discard_ehlo_keywords=size"],
  oneMailPerMinute: ["smtpd_client_message_rate_limit=1", "smtpd_client_event_limit_exceptions="],
  // Polls often enough to reply with the result, even on a busy machine.
  verifiedRecipients: [
    "smtpd_recipient_restrictions=reject_unverified_recipient",
    "address_verify_poll_delay=1s",
    "address_verify_poll_count=60",
  ],
} as const satisfies Record<string, readonly string[]>;

export type PostfixService = keyof typeof POSTFIX_SERVICES;

/** A running Postfix with Dovecot. */
export interface Postfix {
  ports: Record<PostfixService, number>;
  /** What all its services have accepted and passed on. */
  messages: ReceivedMail[];
}

const PROGRAMS = ["/usr/sbin/postfix", "/usr/sbin/dovecot", "/usr/sbin/postgrey"];
const INSTALL = "apt-get install --no-install-recommends postfix dovecot-core postgrey";

/** Whether Postfix with Dovecot can run here. If not, warns, and names what is missing. */
export function findPostfix(): boolean {
  const missing = missingForPostfix();
  if (missing !== undefined) console.warn(`SKIPPED: test/{smtp,delivery}/postfix*.test.ts need ${missing}`);
  return missing === undefined;
}

function missingForPostfix(): string | undefined {
  const programs = PROGRAMS.filter((path) => !isExecutable(path));
  if (programs.length > 0) return `${programs.join(", ")}. Install with: ${INSTALL}`;
  const version = spawnSync("/usr/sbin/dovecot", ["--version"], { encoding: "utf8" }).stdout.split(" ")[0];
  // Dovecot 2.4 has another syntax of its configuration.
  if (!version?.startsWith("2.3.")) return `Dovecot 2.3, and finds ${version}`;
  if (!isRoot() && spawnSync("sudo", ["-n", "true"]).status !== 0) return "root, or sudo without a password";
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

// Ends when its input does: when the tests end, however they do.
const RUN = `
set -e
cd "$1"
stop() {
  set +e
  kill $dovecot $postgrey
  /usr/sbin/postfix -c "$1" stop
  wait
  rm -rf "$1"
}
trap 'stop "$1" > /dev/null 2>&1' EXIT
install -d queue dovecot
install -d -o postfix data
install -d -o postgrey greylist-data
install -d -o nobody mailboxes
/usr/sbin/dovecot -F -c "$1/dovecot.conf" &
dovecot=$!
/usr/sbin/postgrey --unix="$1/greylist" --dbdir="$1/greylist-data" \
  --whitelist-clients=/dev/null --whitelist-recipients=/dev/null > postgrey.log 2>&1 &
postgrey=$!
/usr/sbin/postfix -c "$1" start > postfix-start.log 2>&1
until [ -S auth ] && [ -S quota ] && [ -S greylist ]; do sleep 0.1; done
echo ready
cat > /dev/null
`;

/**
 * Starts Postfix with Dovecot (SASL and quota) and postgrey, with their own configuration, queue and data, on
 * free ports. User `postmaster` has the password `correct horse`, and may send as `sender@example.com`. Mails to
 * `greylisted@example.org` are greylisted, the mailbox of `full@example.org` is full, and the next hop rejects
 * {@link HOSTILE_RECIPIENT} as if Postfix had not authenticated.
 */
export async function startPostfix(certificate: Certificate): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), "tenant-mail-postfix-"));
  chmodSync(folder, 0o755);
  const nextHop = await startMailServer({ mechanisms: [] }, certificate);
  await nextHop.change({
    rejectRecipients: { [HOSTILE_RECIPIENT]: "530 5.7.0 Authentication required" },
  });
  const ports = await freePorts();
  const files = {
    "main.cf": mainConfiguration(folder, nextHop.port),
    "master.cf": masterConfiguration(
      Object.entries(POSTFIX_SERVICES).map(([name, options]) => [ports[name as PostfixService], options]),
    ),
    "dovecot.conf": dovecotConfiguration(folder),
    users: "postmaster:correct horse\nfull@example.org:unused\n",
    "tls.pem": `${certificate.key}\n${certificate.cert}`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const command = ["sh", "-c", RUN, "run", folder];
  const [program = "", ...options] = isRoot() ? command : ["sudo", "-n", ...command];
  // Detached, so that an interrupt reaches it through its input only.
  const child = spawn(program, options, { stdio: ["pipe", "pipe", "ignore"], detached: true });
  child.unref();
  await ready(child, folder);
  return { ports, messages: nextHop.messages };
}

async function ready(child: ChildProcess, folder: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (status) => reject(new Error(`Postfix in ${folder} does not start: status ${status}`)));
    child.stdout?.once("data", () => resolve());
  });
  // Otherwise the streams would keep this process alive.
  for (const stream of [child.stdin, child.stdout]) {
    if (stream !== null && "unref" in stream && typeof stream.unref === "function") stream.unref();
  }
}

async function freePorts(): Promise<Record<PostfixService, number>> {
  const names = Object.keys(POSTFIX_SERVICES) as PostfixService[];
  const servers = await Promise.all(
    names.map(async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as Record<
    PostfixService,
    number
  >;
}
