import type { JWK } from "jose";

/** The tenants. Tests of one file change only their own realm. */
export const REALMS = ["acme", "globex", "initech", "umbrella", "hooli"] as const;

/** The redirect address of client `mail-page`. Nothing listens there. */
export const REDIRECT_URI = "https://acme.localhost/callback";

/** The secret of client `mailer`. */
export const MAILER_SECRET = "mailer-secret";

const REALM_MANAGEMENT = "realm-management";

/** What a `PUT` of `smtpServer` alone would reset, with values that are no defaults. */
export const PROTECTED_SETTINGS = {
  oauth2DeviceCodeLifespan: 777,
  oauth2DevicePollingInterval: 9,
  attributes: {
    cibaBackchannelTokenDeliveryMode: "ping",
    cibaExpiresIn: "300",
    cibaInterval: "11",
    cibaAuthRequestedUserHint: "id_token_hint",
    parRequestUriLifespan: "90",
    "tenant.plan": "gold",
    "tenant.contact": "ops@example.com",
  },
};

/**
 * A realm of the platform.
 *
 * @param jwks public keys of client `tenant-mail`, which introspects tokens
 * @see https://www.keycloak.org/docs-api/latest/rest-api/#RealmRepresentation
 */
export function realmRepresentation(realm: string, jwks: { keys: JWK[] }) {
  const defaultRoles = `default-roles-${realm}`;
  return {
    realm,
    enabled: true,
    sslRequired: "external",
    accessTokenLifespan: 300,
    roles: { client: { "tenant-mail": [{ name: "manage-mail" }] } },
    clients: [
      client("mail-page", {
        publicClient: true,
        standardFlowEnabled: true,
        redirectUris: [REDIRECT_URI],
        attributes: { "pkce.code.challenge.method": "S256" },
      }),
      client("mailer", { secret: MAILER_SECRET, serviceAccountsEnabled: true }),
      client("mail-cli", { publicClient: true, directAccessGrantsEnabled: true }),
      client("mail-dpop", {
        publicClient: true,
        directAccessGrantsEnabled: true,
        attributes: { "dpop.bound.access.tokens": "true" },
      }),
      client("tenant-mail", {
        clientAuthenticatorType: "client-jwt",
        attributes: { "use.jwks.string": "true", "jwks.string": JSON.stringify(jwks) },
      }),
    ],
    users: [
      user("ada", [defaultRoles], { [REALM_MANAGEMENT]: ["manage-realm"], "tenant-mail": ["manage-mail"] }),
      // A composite role, which contains manage-realm.
      user("rosa", [defaultRoles], { [REALM_MANAGEMENT]: ["realm-admin"], "tenant-mail": ["manage-mail"] }),
      // A delegated administrator.
      user("carol", [defaultRoles], {
        [REALM_MANAGEMENT]: ["manage-clients"],
        "tenant-mail": ["manage-mail"],
      }),
      user("bob", [], {}),
      {
        username: "service-account-mailer",
        enabled: true,
        serviceAccountClientId: "mailer",
        clientRoles: { [REALM_MANAGEMENT]: ["manage-realm"], "tenant-mail": ["manage-mail"] },
      },
    ],
  };
}

function client(clientId: string, changes: object) {
  return { clientId, standardFlowEnabled: false, fullScopeAllowed: true, ...changes };
}

/** A user whose password is the name. Without first and last name, Keycloak asks for them at the first login. */
function user(username: string, realmRoles: string[], clientRoles: Record<string, string[]>) {
  return {
    username,
    enabled: true,
    email: `${username}@example.com`,
    emailVerified: true,
    firstName: username,
    lastName: "Example",
    credentials: [{ type: "password", value: username, temporary: false }],
    realmRoles,
    clientRoles,
  };
}
