import { spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { LOCAL_FOLDER } from "./project.ts";
import type { Defer } from "./run.ts";
import { signalGroup, timeout } from "./wrangler.ts";

const VERSION = "26.7.3";

/** Keycloak 26 needs at least this version. */
const JAVA_MIN_VERSION = 17;

/** Compiling its configuration and creating its database take half a minute on a slow machine. */
const START_TIMEOUT_MS = 300_000;

/** After this, Keycloak is killed. */
const STOP_TIMEOUT_MS = 20_000;

const MAVEN_UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack";

/** The administrator of realm `master`. */
export const BOOTSTRAP_ADMIN = { username: "admin", password: "admin" };

/** A Keycloak on this machine. */
export interface Keycloak {
  /** Base of its addresses, without a final slash. */
  url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Paths of files in PEM. */
interface KeycloakFiles {
  certificate: string;
  key: string;
  /** Authorities that Keycloak trusts. */
  authorities: string;
}

/**
 * The folder of the distribution: `KEYCLOAK_HOME`, or a copy that Maven fetches once.
 *
 * @throws {Error} that says what is missing
 */
export async function findKeycloak(): Promise<string> {
  requireJava();
  const { KEYCLOAK_HOME } = process.env;
  if (KEYCLOAK_HOME) {
    if (existsSync(startScript(KEYCLOAK_HOME))) return KEYCLOAK_HOME;
    throw new Error(`KEYCLOAK_HOME has no bin/kc.sh: ${KEYCLOAK_HOME}`);
  }
  const home = join(LOCAL_FOLDER, "keycloak", `keycloak-${VERSION}`);
  if (!existsSync(home)) await fetchDistribution(home);
  return home;
}

/** @throws {Error} if no Java can run Keycloak */
function requireJava(): void {
  // `java -version` prints to standard error.
  const { stderr } = spawnSync(java(), ["-version"], { encoding: "utf8" });
  const version = Number(/version "(\d+)/.exec(stderr ?? "")?.[1]);
  if (version >= JAVA_MIN_VERSION) return;
  const found = Number.isNaN(version) ? "none is installed" : `version ${version} is installed`;
  throw new Error(`Keycloak needs Java ${JAVA_MIN_VERSION} or newer, and ${found}. Set JAVA_HOME or PATH.`);
}

/**
 * Starts Keycloak in development mode over https, with its data in `folder`, and stops it when the script ends.
 *
 * @throws {Error} with its output, if it ends or times out before it is ready
 */
export async function startKeycloak(
  home: string,
  folder: string,
  files: KeycloakFiles,
  defer: Defer,
): Promise<Keycloak> {
  const [httpsPort, httpPort] = await freePorts(2);
  const url = `https://localhost:${httpsPort}/auth`;
  const args = [
    "start-dev",
    "--db=dev-file",
    `--db-url=jdbc:h2:file:${join(folder, "database")};NON_KEYWORDS=VALUE`,
    "--http-host=127.0.0.1",
    `--http-port=${httpPort}`,
    `--https-port=${httpsPort}`,
    `--https-certificate-file=${files.certificate}`,
    `--https-certificate-key-file=${files.key}`,
    `--truststore-paths=${files.authorities}`,
    "--http-relative-path=/auth",
    `--hostname=${url}`,
  ];
  const env = {
    ...process.env,
    JAVA: java(),
    JAVA_OPTS_KC_HEAP: "-Xms128m -Xmx768m",
    KC_BOOTSTRAP_ADMIN_USERNAME: BOOTSTRAP_ADMIN.username,
    KC_BOOTSTRAP_ADMIN_PASSWORD: BOOTSTRAP_ADMIN.password,
  };
  let running: { stop: () => Promise<void> } | undefined;

  async function start(): Promise<void> {
    // A separate process group, so that signals also reach Java.
    const child = spawn("bash", [startScript(home), ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const ended = new Promise<string>((resolve) => {
      child.on("error", () => resolve("did not start"));
      child.on("close", (status) => resolve(`ended with status ${status}`));
    });
    running = {
      stop: async () => {
        signalGroup(child, "SIGTERM");
        await Promise.race([ended, timeout(STOP_TIMEOUT_MS, undefined)]);
        signalGroup(child, "SIGKILL");
        await ended;
      },
    };
    let startOutput = "";
    const ready = new Promise<undefined>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          startOutput += text;
          if (startOutput.includes("Listening on:")) resolve(undefined);
        });
      }
    });
    const late = timeout(START_TIMEOUT_MS, "timed out before it was ready");
    const problem = await Promise.race([ready, ended, late]);
    if (problem !== undefined) throw new Error(`Keycloak ${problem}:\n${startOutput}`);
  }

  async function stop(): Promise<void> {
    await running?.stop();
    running = undefined;
  }

  defer(stop);
  await start();
  return { url, start, stop };
}

/** Unpacks the distribution beside its final place, so that an interruption leaves nothing that looks complete. */
async function fetchDistribution(home: string): Promise<void> {
  const incoming = `${home}.incoming`;
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  console.log(`Fetching Keycloak ${VERSION} with Maven ...`);
  const artifact = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
  const args = ["-B", "-q", MAVEN_UNPACK, `-Dartifact=${artifact}`, `-DoutputDirectory=${incoming}`];
  const { error, status } = spawnSync("mvn", args, { cwd: incoming, stdio: "inherit" });
  if (error !== undefined) {
    throw new Error(
      "Maven is missing. Install it, or set KEYCLOAK_HOME to an unpacked distribution of Keycloak.",
    );
  }
  if (status !== 0) throw new Error(`Maven could not fetch ${artifact}. Set KEYCLOAK_HOME instead.`);
  await rename(join(incoming, basename(home)), home);
  await rm(incoming, { recursive: true, force: true });
}

function startScript(home: string): string {
  return join(home, "bin/kc.sh");
}

function java(): string {
  const { JAVA_HOME } = process.env;
  return JAVA_HOME ? join(JAVA_HOME, "bin/java") : "java";
}

/** Below the ports that systems give to outgoing connections: one of those could take a port between two starts. */
const PORTS = { first: 20_000, last: 29_999 };

/** Ports that are free now. Keycloak cannot choose them itself: its own address contains one. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(PORTS.first, PORTS.last + 1);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
