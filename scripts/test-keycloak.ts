import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { environmentOf } from "../test/keycloak/support/suite.ts";
import { newAuthority, trust } from "../test/support/smtp/certificates.ts";
import { findKeycloak, type Keycloak, startKeycloak } from "./lib/keycloak.ts";
import { secretsFileIn } from "./lib/local-files.ts";
import { LOCAL_HOSTNAME } from "./lib/local-issuer.ts";
import { PROJECT } from "./lib/project.ts";
import { type Defer, run } from "./lib/run.ts";
import { signalGroup, startWranglerDev } from "./lib/wrangler.ts";

/** The client of each realm that introspects tokens. */
const INTROSPECTION_CLIENT = "tenant-mail";

const VITEST = join(PROJECT, "node_modules/vitest/vitest.mjs");

await run(async (defer) => {
  const home = await findKeycloak();
  const folder = await mkdtemp(join(tmpdir(), "tenant-mail-keycloak-"));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { certificate, authorities, files } = await newCertificate(folder);

  console.log("Starting Keycloak and wrangler dev ...");
  const keycloak = await startKeycloak(home, folder, { ...files, authorities }, defer);
  const clientKey = await newClientKey();
  const startWorker = async (name: string, vars: Record<string, string> = {}) => {
    const addresses = { HOSTNAME: LOCAL_HOSTNAME, ISSUERS: `${keycloak.url}/realms/{tenant}` };
    const { port } = await startWranglerDev(
      {
        protocol: "https",
        port: 0,
        folder: join(folder, name),
        vars: { ...addresses, ALLOW_PRIVATE_HOSTS: "true", ...vars },
        secretsFile: await secretsFileIn(folder),
      },
      defer,
    );
    return port;
  };
  const introspection = {
    AUDIENCE: INTROSPECTION_CLIENT,
    INTROSPECTION_CLIENT_ID: INTROSPECTION_CLIENT,
    INTROSPECTION_KEY: JSON.stringify(clientKey),
  };
  const workers = {
    plain: await startWorker("plain"),
    introspecting: await startWorker("introspecting", introspection),
    applying: await startWorker("applying", {
      ...introspection,
      KEYCLOAK_ADMIN_URL: `${keycloak.url}/admin/realms/{tenant}`,
    }),
  };
  const controlUrl = await controlServer(keycloak, defer);
  const suite = { keycloakUrl: keycloak.url, controlUrl, workers, clientKey, certificate };
  return runTests(environmentOf(suite), defer);
});

/** A certificate for servers on this machine. Programs started from now on trust its authority. */
async function newCertificate(folder: string) {
  const authority = await newAuthority();
  trust(authority);
  const files = { certificate: join(folder, "server.pem"), key: join(folder, "server.key") };
  await writeFile(files.certificate, authority.trusted.cert);
  await writeFile(files.key, authority.trusted.key, { mode: 0o600 });
  return { certificate: authority.trusted, authorities: process.env.NODE_EXTRA_CA_CERTS ?? "", files };
}

async function newClientKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: "tenant-mail-1", alg: "ES256", use: "sig" };
}

/** Lets tests stop and start Keycloak: `POST /stop`, `POST /start`. */
async function controlServer(keycloak: Keycloak, defer: Defer): Promise<string> {
  const server = createServer((request, response) => {
    const work = request.url === "/stop" ? keycloak.stop() : keycloak.start();
    work.then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  defer(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

/** Runs the tests in a process of their own: Node reads NODE_EXTRA_CA_CERTS when it starts. */
async function runTests(environment: Record<string, string>, defer: Defer): Promise<number> {
  const args = [VITEST, "run", "--config", join(PROJECT, "test/keycloak/vitest.config.ts")];
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], {
    cwd: PROJECT,
    env,
    stdio: "inherit",
    detached: true,
  });
  defer(() => signalGroup(child, "SIGTERM"));
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (status) => resolve(status ?? 1));
  });
}
