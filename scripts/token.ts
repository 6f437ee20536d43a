import { isTenantId, TENANT_IDS } from "../src/http/tenant-id.ts";
import { type LocalRole, localIssuerIn } from "./lib/local-issuer.ts";
import { LOCAL_FOLDER } from "./lib/project.ts";

const USAGE = `usage: npm run --silent token -- <tenant> [sender]

  Prints an access token of the tenant's administrator, or of a sender of mail. It is valid for one hour at the
  Worker that npm start runs.
  ${TENANT_IDS.SHIFT.description}`;

const [tenant, role = "administrator", ...rest] = process.argv.slice(2);

if (tenant !== undefined && isTenantId(tenant) && isRole(role) && rest.length === 0) {
  console.log(await (await localIssuerIn(LOCAL_FOLDER)).token(tenant, role));
} else {
  const problem =
    tenant === undefined ? "missing tenant" : `no tenant id or role: ${process.argv.slice(2).join(" ")}`;
  console.error(`${problem}\n\n${USAGE}`);
  process.exitCode = 2;
}

function isRole(text: string): text is LocalRole {
  return text === "administrator" || text === "sender";
}
