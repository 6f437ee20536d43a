import { isTenantId } from "../src/http/tenant-id.ts";
import { LOCAL_FOLDER } from "./lib/local-files.ts";
import { localIssuerIn } from "./lib/local-issuer.ts";

const [tenant, ...rest] = process.argv.slice(2);

if (tenant !== undefined && isTenantId(tenant) && rest.length === 0) {
  console.log(await (await localIssuerIn(LOCAL_FOLDER)).token(tenant));
} else {
  const problem =
    tenant === undefined ? "no tenant given" : `not one tenant id: ${[tenant, ...rest].join(" ")}`;
  console.error(`${problem}

usage: npm run --silent token -- <tenant>

  Prints an access token of the tenant's administrator, good for an hour at the Worker that npm start runs.
  A tenant id has 1 to 63 letters a-z, digits and hyphens, with no hyphen at either end, and no xn-- first.`);
  process.exitCode = 2;
}
