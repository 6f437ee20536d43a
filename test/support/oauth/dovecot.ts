import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { connect, createServer, Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import type { Certificate } from "../smtp/certificates.ts";
import { type MailServer, startMailServer } from "../smtp/mail-server.ts";

const SUBMISSION = "/usr/lib/dovecot/submission";

/** Runs `$0` with the folder `$1`. Ends once its input does, however this process ends. */
const RUN = `
exec 3<&0
"$0" -F -c "$1/dovecot.conf" & dovecot=$!
(cat <&3 > /dev/null; kill $dovecot 2> /dev/null) &
wait $dovecot; status=$?
rm -rf "$1"
exit $status
`;

/** Finds Dovecot with its submission server. If it is missing, warns and names the packages to install. */
export function findDovecot(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  const found = folders.map((folder) => join(folder, "dovecot")).find(isExecutable);
  // Dovecot 2.4 has another configuration.
  if (found !== undefined && isExecutable(SUBMISSION) && versionOf(found).startsWith("2.3.")) return found;
  console.warn(
    "SKIPPED: test/oauth/dovecot.test.ts needs Dovecot 2.3. Install it with: apt-get install dovecot-core dovecot-submissiond",
  );
  return undefined;
}

function versionOf(dovecot: string): string {
  return execFileSync(dovecot, ["--version"], { encoding: "utf8" });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Which SASL mechanisms to offer, and how to check their tokens. */
interface DovecotSettings {
  mechanisms: readonly string[];
  /** With the credentials of a resource server (RFC 7662). */
  introspectionUrl: string;
}

/**
 * Starts Dovecot's submission server with a temporary configuration, on a free port. It accepts tokens with the
 * scope `smtp` whose claim `email` is the user, over TLS only, and relays messages to a server that keeps them.
 */
export async function startDovecot(
  dovecot: string,
  { mechanisms, introspectionUrl }: DovecotSettings,
  certificate: Certificate,
): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), "tenant-mail-dovecot-"));
  chmodSync(folder, 0o755);
  for (const name of ["run", "state", "mail"]) mkdirSync(join(folder, name), { mode: 0o777 });
  const relay = await startMailServer({ mechanisms: [] }, certificate);
  const port = await freePort();
  const files = {
    "key.pem": certificate.key,
    "cert.pem": certificate.cert,
    "oauth2.conf": `introspection_mode = post\nintrospection_url = ${introspectionUrl}\nusername_attribute = email\nactive_attribute = active\nactive_value = true\nscope = smtp\n`,
    "dovecot.conf": configuration({ folder, mechanisms, port, relayPort: relay.port }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const daemon = spawn("sh", ["-c", RUN, dovecot, folder], { stdio: ["pipe", "ignore", "ignore"] });
  daemon.unref();
  if (daemon.stdin instanceof Socket) daemon.stdin.unref();
  const close = () => {
    daemon.stdin.end();
    relay.close();
  };
  await untilListening(port, daemon);
  return {
    port,
    messages: relay.messages,
    connections: relay.connections,
    openConnections: relay.openConnections,
    close,
  };
}

function configuration({
  folder,
  mechanisms,
  port,
  relayPort,
}: {
  folder: string;
  mechanisms: readonly string[];
  port: number;
  relayPort: number;
}): string {
  const asRoot = process.getuid?.() === 0;
  const { username } = userInfo();
  // Dovecot takes no number.
  const group = execFileSync("id", ["-gn"], { encoding: "utf8" }).trim();
  const unprivileged = `
default_internal_user = ${username}
default_internal_group = ${group}
default_login_user = ${username}
service anvil {
  chroot =
}`;
  return `
protocols = submission
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
hostname = dovecot.example.net
ssl = required
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
auth_mechanisms = ${mechanisms.join(" ")}
auth_failure_delay = 0
${asRoot ? "" : unprivileged}
# Delays after failures.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  chroot =
  inet_listener submission {
    address = 127.0.0.1
    port = ${port}
  }
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${folder}/oauth2.conf
}
userdb {
  driver = static
  args = uid=${asRoot ? "nobody" : username} gid=${asRoot ? "nogroup" : group} home=${folder}/mail
}
mail_location = maildir:${folder}/mail
submission_relay_host = localhost
submission_relay_port = ${relayPort}
submission_relay_ssl = no
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function untilListening(port: number, daemon: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (daemon.exitCode !== null) break;
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Dovecot does not start (exit code ${daemon.exitCode})`);
}
