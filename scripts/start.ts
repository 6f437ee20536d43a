import { createServer } from "node:net";
import { ssmsUrl } from "./lib/http-client.ts";
import { secretsFileIn } from "./lib/local-files.ts";
import { localIssuerIn } from "./lib/local-issuer.ts";
import { LOCAL_FOLDER } from "./lib/project.ts";
import { run } from "./lib/run.ts";
import { SAMPLE_SETTINGS } from "./lib/sample-settings.ts";
import { startWranglerDev } from "./lib/wrangler.ts";

const DEFAULT_PORT = 8787;

const TENANT = "acme";

await run(async (defer) => {
  const issuer = await localIssuerIn(LOCAL_FOLDER);
  const worker = await startWranglerDev(
    {
      protocol: "https",
      port: await choosePort(process.env.PORT),
      folder: LOCAL_FOLDER,
      vars: { ...issuer.vars, ALLOW_PRIVATE_HOSTS: "true" },
      secretsFile: await secretsFileIn(LOCAL_FOLDER),
      onOutput: (text) => process.stdout.write(text),
    },
    defer,
  );
  printInstructions(worker.port, await issuer.token(TENANT));
  return worker.ended;
});

/** The requested port. Without one, the default port, or any free port if that one is in use. */
async function choosePort(requested: string | undefined): Promise<number> {
  if (!requested) return (await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : 0;
  const port = Number(requested);
  if (!/^\d{1,5}$/.test(requested) || port > 65_535) throw new Error(`PORT is not a port: ${requested}`);
  if (!(await isFree(port))) throw new Error(`PORT ${port} is in use`);
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .on("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function printInstructions(port: number, token: string): void {
  const url = ssmsUrl("https", port, TENANT);
  console.log(`
Tenant Mail listens on https://127.0.0.1:${port}. In another terminal, save settings for the tenant ${TENANT}:

curl -k ${url} -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '${JSON.stringify(SAMPLE_SETTINGS)}'

Read them:

curl -k ${url} -H "Authorization: Bearer $(npm run --silent token -- ${TENANT})"

-k is needed because wrangler's certificate is self-signed. Ctrl-C stops the Worker. Delete .local to start over.
`);
}
