import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importX509,
  type JWK,
  jwtVerify,
} from "jose";
import Provider from "oidc-provider";
import { generate } from "selfsigned";
import {
  type ClientRequest,
  JWT_BEARER_URL,
  OAUTH_ORIGIN,
  type RegisteredClient,
  type TokenLogEntry,
} from "./control.ts";

/** The scope that mail servers require. The server also knows `other`. */
const SCOPE = "smtp";

/** A running OAuth server: oidc-provider, and beside it the JWT bearer grant, which oidc-provider lacks. */
interface OAuthServer {
  /** Address for token introspection (RFC 7662), with the credentials of a resource server. */
  introspectionUrl: string;
  /** Whether a token is valid for sending mail from a mailbox, by introspection. */
  isValid(mailbox: string, token: string): Promise<boolean>;
  log: TokenLogEntry[];
  register(request: ClientRequest): Promise<RegisteredClient>;
  /** Removes a client. */
  revoke(clientId: string): void;
  /** Lets the tokens of a client expire. */
  expireTokens(clientId: string): void;
  respond(request: Request): Promise<Response>;
}

interface Client {
  request: ClientRequest;
  jwks: { keys: JWK[] };
}

/** Starts an OAuth server, on a loopback port. */
export async function startOAuthServer(): Promise<OAuthServer> {
  const store = new Map<string, Record<string, unknown>>();
  const clients = new Map<string, Client>();
  const log: TokenLogEntry[] = [];
  const mailboxes = new WeakMap<object, string>();
  const resourceServer = { id: "mail-server", secret: randomUUID() };
  const requestOf = (clientId: string) => clients.get(clientId)?.request;

  class Adapter {
    readonly #model: string;

    constructor(model: string) {
      this.#model = model;
    }

    async find(id: string) {
      return store.get(`${this.#model}:${id}`);
    }

    async upsert(id: string, payload: Record<string, unknown>) {
      store.set(`${this.#model}:${id}`, payload);
    }

    async destroy(id: string) {
      store.delete(`${this.#model}:${id}`);
    }
  }

  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const provider = new Provider(OAUTH_ORIGIN, {
    adapter: Adapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig" }] },
    cookies: { keys: [randomUUID()] },
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    scopes: [SCOPE, "other"],
    clients: [
      {
        client_id: resourceServer.id,
        client_secret: resourceServer.secret,
        grant_types: [],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: false },
      userinfo: { enabled: false },
    },
    formats: {
      bitsOfOpaqueRandomness: (_: unknown, { clientId }: { clientId: string }) =>
        6 * (requestOf(clientId)?.tokenCharacters ?? 43),
    },
    ttl: {
      ClientCredentials: (_: unknown, __: unknown, { clientId }: { clientId: string }) =>
        requestOf(clientId)?.expiresInSeconds ?? 3_600,
    },
    // What Dovecot compares with the user.
    extraTokenClaims: (_: unknown, token: { clientId: string }) => ({
      email: mailboxes.get(token) ?? requestOf(token.clientId)?.mailbox,
    }),
  });
  provider.proxy = true;
  const server = createServer(provider.callback());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  // Idle connections would keep the process alive.
  server.maxRequestsPerSocket = 1;
  const address = server.address();
  const origin = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;

  async function forward(request: Request, body: string): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    for (const name of ["host", "content-length", "connection"]) headers.delete(name);
    headers.set("X-Forwarded-Proto", "https");
    headers.set("X-Forwarded-Host", new URL(OAUTH_ORIGIN).host);
    const { method } = request;
    return fetch(`http://${origin}${pathname}${search}`, {
      method,
      headers,
      redirect: "manual",
      ...(body === "" ? {} : { body }),
    });
  }

  /** Whether a secret is sent in another way than its client's: oidc-provider takes both from each. */
  function isOtherMethod({ headers }: Request, form: URLSearchParams): boolean {
    const { method = "client_secret_post" } = requestOf(clientIdOf(form, headers) ?? "") ?? {};
    return method === "client_secret_basic" ? form.has("client_secret") : headers.has("Authorization");
  }

  /** What Google's endpoint does for service accounts with domain-wide delegation. */
  async function grantByAssertion(form: URLSearchParams): Promise<Response> {
    const assertion = form.get("assertion") ?? "";
    const { iss = "" } = decodeJwt(assertion);
    const client = clients.get(iss);
    const found = await provider.Client.find(iss);
    if (client === undefined || found === undefined) {
      return oauthError(400, "invalid_grant", "Invalid grant: account not found");
    }
    try {
      const { payload } = await jwtVerify<{ scope?: string }>(assertion, createLocalJWKSet(client.jwks), {
        audience: JWT_BEARER_URL,
        requiredClaims: ["iat", "exp", "sub"],
        maxTokenAge: "1h",
      });
      const { sub, scope = "" } = payload;
      if (sub !== client.request.mailbox || scope !== SCOPE) {
        return oauthError(
          401,
          "unauthorized_client",
          "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
        );
      }
      const token = new provider.ClientCredentials({ client: found, scope });
      mailboxes.set(token, sub);
      const expires_in = client.request.expiresInSeconds ?? 3_600;
      return Response.json({ access_token: await token.save(expires_in), token_type: "Bearer", expires_in });
    } catch {
      return oauthError(400, "invalid_grant", "Invalid JWT Signature.");
    }
  }

  async function isValid(mailbox: string, token: string): Promise<boolean> {
    const { id, secret } = resourceServer;
    const response = await fetch(`http://${origin}/token/introspection`, {
      method: "POST",
      headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` },
      body: new URLSearchParams({ token }),
    });
    const { active, scope, email } = (await response.json()) as Record<string, unknown>;
    return active === true && scope === SCOPE && email === mailbox;
  }

  return {
    isValid,
    introspectionUrl: `http://${resourceServer.id}:${resourceServer.secret}@${origin}/token/introspection`,
    log,
    async register(request) {
      const clientId = `client-${randomUUID()}`;
      const registered = { clientId, ...(await newCredential(request)) };
      const { credential, certificate, jwk } = registered;
      const isSecret = request.credential === "secret";
      const jwks = { keys: jwk === undefined ? [] : [jwk] };
      clients.set(clientId, { request, jwks });
      store.set(`Client:${clientId}`, {
        client_id: clientId,
        ...(isSecret ? { client_secret: credential } : { jwks }),
        token_endpoint_auth_method: isSecret ? (request.method ?? "client_secret_post") : "private_key_jwt",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        scope: "smtp other",
      });
      return { clientId, credential, ...(certificate === undefined ? {} : { certificate }) };
    },
    revoke(clientId) {
      store.delete(`Client:${clientId}`);
    },
    expireTokens(clientId) {
      for (const [key, payload] of store) {
        if (key.startsWith("ClientCredentials:") && payload.clientId === clientId) payload.exp = 1;
      }
    },
    async respond(request) {
      const body = await request.text();
      const form = new URLSearchParams(body);
      const response = isOtherMethod(request, form)
        ? oauthError(401, "invalid_client", "client authentication failed")
        : request.url === JWT_BEARER_URL
          ? await grantByAssertion(form)
          : await forward(request, body);
      log.push(await entryOf(form, request.headers, response.clone()));
      return response;
    },
  };
}

async function newCredential({ credential, alg = "ES256" }: ClientRequest) {
  if (credential === "secret") return { credential: `secret of ${randomUUID()}+/&=` };
  if (credential === "certificate") {
    const pem = await generate([{ name: "commonName", value: "Tenant Mail" }], {
      keySize: 2048,
      algorithm: "sha256",
    });
    const jwk = await exportJWK(await importX509(pem.cert, "RS256", { extractable: true }));
    return { credential: pem.private, certificate: pem.cert, jwk };
  }
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { credential: await exportPKCS8(privateKey), jwk: await exportJWK(publicKey) };
}

/** From the body, or from HTTP Basic, where it is encoded as in a form. */
function clientIdOf(form: URLSearchParams, headers: Headers): string | undefined {
  const [, basic] = headers.get("Authorization")?.split("Basic ") ?? [];
  const [id] = basic === undefined ? [] : new URLSearchParams(`id=${atob(basic).split(":")[0]}`).values();
  return form.get("client_id") ?? id;
}

async function entryOf(form: URLSearchParams, headers: Headers, response: Response): Promise<TokenLogEntry> {
  const assertion = form.get("client_assertion") ?? form.get("assertion");
  const header = assertion === null ? undefined : decodeProtectedHeader(assertion);
  const claims = assertion === null ? undefined : decodeJwt(assertion);
  const { error } = (await response.json()) as { error?: string };
  return {
    clientId: clientIdOf(form, headers) ?? claims?.iss,
    grantType: form.get("grant_type"),
    scope: form.get("scope"),
    parameters: [...form.keys()].sort(),
    ...(headers.has("Authorization") ? { basic: true } : {}),
    ...(header === undefined ? {} : { header }),
    ...(claims === undefined ? {} : { claims }),
    status: response.status,
    ...(error === undefined ? {} : { error }),
  };
}

function oauthError(status: number, error: string, error_description: string): Response {
  return Response.json({ error, error_description }, { status });
}
