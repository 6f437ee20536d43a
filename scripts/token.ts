import { isTenantId } from "../src/http/tenant-id.ts";
import { localIssuerIn } from "./lib/local-issuer.ts";
import { LOCAL_FOLDER } from "./lib/project.ts";

const USAGE = `usage: npm run --silent token -- <tenant>

  Prints an access token of the tenant's administrator, valid for one hour at the Worker that npm start runs.
  A tenant id has 1 to 63 characters: a-z, digits and hyphens. It starts and ends with a letter or digit, and
  does not start with xn--.`;

const [tenant, ...rest] = process.argv.slice(2);

if (tenant !== undefined && isTenantId(tenant) && rest.length === 0) {
  console.log(await (await localIssuerIn(LOCAL_FOLDER)).token(tenant));
} else {
  const problem = tenant === undefined ? "missing tenant" : `not a tenant id: ${[tenant, ...rest].join(" ")}`;
  console.error(`${problem}\n\n${USAGE}`);
  process.exitCode = 2;
}
