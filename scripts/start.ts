import { createServer } from "node:net";
import { ssmsAddress } from "./lib/addresses.ts";
import { LOCAL_FOLDER, secretsFileIn } from "./lib/local-files.ts";
import { localIssuerIn } from "./lib/local-issuer.ts";
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
  printWelcome(worker.port, await issuer.token(TENANT));
  return worker.ended;
});

/** The port that was asked for; else the usual one, or any other if that one is taken. */
async function choosePort(wish: string | undefined): Promise<number> {
  if (!wish) return (await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : 0;
  const port = Number(wish);
  if (!/^\d{1,5}$/.test(wish) || port > 65_535) throw new Error(`PORT is not a port: ${wish}`);
  if (!(await isFree(port))) throw new Error(`PORT ${port} is taken`);
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .on("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function printWelcome(port: number, token: string): void {
  const address = ssmsAddress("https", port, TENANT);
  console.log(`
Tenant Mail listens on https://127.0.0.1:${port}. Save settings of the tenant ${TENANT}, in another terminal:

curl -k ${address} -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '${JSON.stringify(SAMPLE_SETTINGS)}'

Read them:

curl -k ${address} -H "Authorization: Bearer $(npm run --silent token -- ${TENANT})"

-k, because wrangler's certificate is self-signed. Ctrl-C ends it. Deleting .local begins anew.
`);
}
