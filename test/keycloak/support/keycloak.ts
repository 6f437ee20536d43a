import { createHash, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { BOOTSTRAP_ADMIN } from "../../../scripts/lib/keycloak.ts";
import { MAILER_SECRET, REDIRECT_URI } from "./realms.ts";

/** Response of a token endpoint (RFC 6749 section 5.1). */
interface Tokens {
  access_token: string;
  refresh_token?: string;
  id_token?: string;
  scope: string;
}

/** A client of Keycloak's token endpoints and Admin REST API. */
export class KeycloakClient {
  readonly #url: string;

  /** @param url base of Keycloak's addresses */
  constructor(url: string) {
    this.#url = url;
  }

  tokenEndpoint(realm: string): string {
    return `${this.#url}/realms/${realm}/protocol/openid-connect/token`;
  }

  /** Requests tokens with a grant (RFC 6749 section 4). */
  async tokens(realm: string, parameters: Record<string, string>, headers = {}): Promise<Tokens> {
    const body = new URLSearchParams(parameters);
    const response = await fetch(this.tokenEndpoint(realm), { method: "POST", body, headers });
    if (!response.ok) throw new Error(`token endpoint: ${response.status} ${await response.text()}`);
    return (await response.json()) as Tokens;
  }

  /** Resource owner password credentials (RFC 6749 section 4.3). A user's password is the name. */
  password(realm: string, username: string, client: string, scope = "openid"): Promise<Tokens> {
    const parameters = { grant_type: "password", client_id: client, username, password: username, scope };
    return this.tokens(realm, parameters);
  }

  /** Authorization code with PKCE (RFC 7636), through Keycloak's login page. */
  async code(realm: string, username: string, client: string, redirectUri = REDIRECT_URI): Promise<Tokens> {
    const verifier = randomBytes(32).toString("base64url");
    const address = new URL(`${this.#url}/realms/${realm}/protocol/openid-connect/auth`);
    address.search = String(
      new URLSearchParams({
        response_type: "code",
        client_id: client,
        redirect_uri: redirectUri,
        scope: "openid",
        code_challenge_method: "S256",
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      }),
    );
    const page = await fetch(address);
    const [, action = ""] = /action="([^"]+)"/.exec(await page.text()) ?? [];
    const cookies = page.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
    const login = await fetch(action.replaceAll("&amp;", "&"), {
      method: "POST",
      body: new URLSearchParams({ username, password: username }),
      headers: { Cookie: cookies.join("; ") },
      redirect: "manual",
    });
    const code = new URL(login.headers.get("Location") ?? "").searchParams.get("code") ?? "";
    return this.tokens(realm, {
      grant_type: "authorization_code",
      client_id: client,
      redirect_uri: redirectUri,
      code,
      code_verifier: verifier,
    });
  }

  /** Through the login page of the admin console, as its script does. */
  console(realm: string, username: string): Promise<Tokens> {
    return this.code(realm, username, "security-admin-console", `${this.#url}/admin/${realm}/console/`);
  }

  /** Ends the session of a token. */
  async logOut(realm: string, client: string, { refresh_token = "" }: Tokens): Promise<void> {
    const body = new URLSearchParams({ client_id: client, refresh_token });
    const address = `${this.#url}/realms/${realm}/protocol/openid-connect/logout`;
    const response = await fetch(address, { method: "POST", body });
    if (!response.ok) throw new Error(`logout: ${response.status} ${await response.text()}`);
  }

  /** The password grant with a proof of possession (RFC 9449). */
  async dpopBound(realm: string, username: string, client: string): Promise<Tokens> {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const proof = await new SignJWT({ htm: "POST", htu: this.tokenEndpoint(realm), jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(publicKey) })
      .setIssuedAt()
      .sign(privateKey);
    const parameters = { grant_type: "password", client_id: client, username, password: username };
    return this.tokens(realm, parameters, { DPoP: proof });
  }

  /** Client credentials (RFC 6749 section 4.4) of client `mailer`. */
  serviceAccount(realm: string): Promise<Tokens> {
    const credentials = { client_id: "mailer", client_secret: MAILER_SECRET };
    return this.tokens(realm, { grant_type: "client_credentials", ...credentials });
  }

  /** A token of the administrator of realm `master`. */
  async masterToken(): Promise<string> {
    const grant = { grant_type: "password", client_id: "admin-cli", ...BOOTSTRAP_ADMIN };
    return (await this.tokens("master", grant)).access_token;
  }

  /** Calls the Admin REST API, as that administrator by default. `path` follows `/admin/realms`. */
  async admin(method: string, path: string, body?: unknown, token?: string): Promise<Response> {
    const response = await fetch(`${this.#url}/admin/realms${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token ?? (await this.masterToken())}`,
        "Content-Type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async userId(realm: string, username: string): Promise<string> {
    const users = await this.admin("GET", `/${realm}/users?exact=true&username=${username}`);
    return idOf(await users.json());
  }

  /** Takes role realm-admin from a user. */
  async removeRealmAdmin(realm: string, username: string): Promise<void> {
    const clients = await this.admin("GET", `/${realm}/clients?clientId=realm-management`);
    const clientId = idOf(await clients.json());
    const role = await this.admin("GET", `/${realm}/clients/${clientId}/roles/realm-admin`);
    const userId = await this.userId(realm, username);
    const path = `/${realm}/users/${userId}/role-mappings/clients/${clientId}`;
    await this.admin("DELETE", path, [await role.json()]);
  }

  async realm(realm: string): Promise<Record<string, unknown>> {
    return (await this.admin("GET", `/${realm}`)).json() as Promise<Record<string, unknown>>;
  }
}

/** The id of the only one found. */
function idOf(found: unknown): string {
  const [one, ...others] = found as { id: string }[];
  if (one === undefined || others.length > 0) throw new Error(`${others.length} others found`);
  return one.id;
}
