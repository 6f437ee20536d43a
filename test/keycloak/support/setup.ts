import { KeycloakClient } from "./keycloak.ts";
import { REALMS, realmRepresentation } from "./realms.ts";
import { readSuite } from "./suite.ts";

/** Creates the realms before the first test. */
export async function setup(): Promise<void> {
  const { keycloakUrl, clientKey } = readSuite();
  const { d: _, ...publicKey } = clientKey;
  const keycloak = new KeycloakClient(keycloakUrl);
  for (const realm of REALMS)
    await keycloak.admin("POST", "", realmRepresentation(realm, { keys: [publicKey] }));
}
