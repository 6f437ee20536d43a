import { type ChildProcess, spawn } from "node:child_process";
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Certificate } from "./certificates.ts";
import type { MailServer, ReceivedMail } from "./mail-server.ts";

const PACKAGE = "exim4-daemon-light";

// Debian's `nobody` and `nogroup`. Exim drops root for a configuration that is not its default.
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };

/** Finds Exim. If it is missing, warns and names the package to install. */
export function findExim(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  const found = folders.map((folder) => join(folder, "exim4")).find(isExecutable);
  if (found === undefined) {
    console.info(`SKIPPED: test/smtp/exim.test.ts needs Exim. Install it with: apt-get install ${PACKAGE}`);
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts Exim with a temporary configuration and spool, on a free port. It accepts user `postmaster` with
 * password `correct horse`, over TLS only, and queues mails without delivering them. Each connection starts
 * one process, as with inetd.
 */
export async function startExim(exim: string, certificate: Certificate): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), "tenant-mail-exim-"));
  const asRoot = process.getuid?.() === 0;
  const files = {
    "exim.conf": configuration(folder),
    "key.pem": certificate.key,
    "cert.pem": certificate.cert,
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    if (asRoot) chownSync(join(folder, name), UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  }
  if (asRoot) chownSync(folder, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  const running = new Set<ChildProcess>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    const process = spawn(exim, ["-C", join(folder, "exim.conf"), "-bs"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "ignore"],
      ...(asRoot ? UNPRIVILEGED : {}),
    });
    running.add(process);
    process.on("exit", () => running.delete(process)).on("error", () => socket.destroy());
    process.stdin.on("error", () => {});
    socket.on("error", () => {}).on("close", () => process.kill());
    socket.pipe(process.stdin);
    process.stdout.pipe(socket);
  });
  const close = () => {
    server.close();
    for (const process of running) process.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", close);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  server.unref();
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    get mails() {
      return queued(join(folder, "input"));
    },
    connections: () => connections,
    openConnections: () => running.size,
    close,
  };
}

/** The mails in the spool. The Exim specification describes its files in chapter 56. */
function queued(input: string): ReceivedMail[] {
  if (!existsSync(input)) return [];
  const headers = readdirSync(input, { withFileTypes: true }).filter(({ name }) => name.endsWith("-H"));
  return headers.map(({ name }) => {
    const file = readFileSync(join(input, name), "utf8");
    const [envelope = "", ...rest] = file.split("\n\n");
    const lines = envelope.split("\n");
    const header = rest.join("\n\n").replaceAll(/^\d{3,}[A-Z* ] /gm, "");
    const body = readFileSync(join(input, name.replace(/-H$/, "-D")), "utf8").replace(/^.*\n/, "");
    return {
      mailFrom: lines[2]?.slice(1, -1) ?? "",
      rcptTo: lines.slice(-1),
      raw: `${header}\n${body}`,
      user: /^-+auth_id (.*)$/m.exec(envelope)?.[1],
      mechanism: /^-+host_auth_pubname (.*)$/m.exec(envelope)?.[1],
      secure: /^-+tls_cipher /m.test(envelope),
    };
  });
}

function configuration(folder: string): string {
  return `
primary_hostname = localhost
spool_directory = ${folder}
log_file_path = ${folder}/%slog
exim_user = nobody
exim_group = nogroup
keep_environment =
queue_only = true
queue_only_override = false
tls_advertise_hosts = *
tls_certificate = ${folder}/cert.pem
tls_privatekey = ${folder}/key.pem
smtputf8_advertise_hosts = *
acl_smtp_rcpt = rcpt
acl_smtp_data = accept

begin acl
rcpt:
  accept authenticated = *
  deny message = relay not permitted

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_set_id = $auth2
  server_condition = \${if and{{eq{$auth2}{postmaster}}{eq{$auth3}{correct horse}}}}
  server_advertise_condition = \${if def:tls_in_cipher}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_set_id = $auth1
  server_condition = \${if and{{eq{$auth1}{postmaster}}{eq{$auth2}{correct horse}}}}
  server_advertise_condition = \${if def:tls_in_cipher}
`;
}
