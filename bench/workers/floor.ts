import { HISTORY_KEPT_SECONDS, KV_CACHE_MIN_SECONDS } from "../../src/limits.ts";

/**
 * The floor of the work: what the contract cannot do without, by the platform's own means. It verifies the
 * token, opens what is stored, seals what is sent, and notes it in history. It does not validate, and it
 * seals by one key for all records, where ours wraps a key of its own for each.
 */
export default {
  async fetch(request, env, context) {
    const { protocol, pathname } = new URL(request.url);
    if (protocol !== "https:") {
      const message = "Plain http is refused. Use https, and revoke a token that was sent without it.";
      return answer(403, { message, status: "FORBIDDEN", subSystem: 8 }, {});
    }
    const tenant = pathname.split("/")[3] ?? "";
    keys ??= await importKeys(env);
    const claims = await verify(request.headers.get("Authorization") ?? "", tenant, keys);
    if (claims === undefined) {
      const body = { message: "HTTP 401 Unauthorized.", status: "Unauthorized", subSystem: 8 };
      return answer(401, body, { ...HTTPS, "WWW-Authenticate": 'Bearer error="invalid_token"' });
    }
    const stored = await read(env.SMTP_SETTINGS, tenant, keys);
    if (request.method === "POST") return save(request, env, context, tenant, claims, stored, keys);
    if (stored === undefined) return new Response("", { status: 404 });
    const { settings, updatedAt, updatedBy, version } = stored;
    const view = { ...settings, port: String(settings.port), password: "**********" };
    const message = "Successfully read SMTP Details";
    const body = { message, status: "OK", subSystem: 8, settings: view, updatedAt, updatedBy, warnings: [] };
    return answer(200, body, tagged(version));
  },
} satisfies ExportedHandler<Env>;

interface Keys {
  verifying: CryptoKey;
  sealing: CryptoKey;
  kid: string;
}

interface Claims {
  iss: string;
  exp: number;
  sub: string;
  preferred_username: string;
  azp: string;
  resource_access: Record<string, { roles: string[] }>;
}

interface Stored {
  sub: string;
  settings: Record<string, string | number | boolean>;
  updatedAt: string;
  updatedBy: string;
  version: string;
}

const HTTPS = { "Strict-Transport-Security": "max-age=31536000" };

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

let keys: Keys | undefined;

async function importKeys(env: Env): Promise<Keys> {
  const [jwk] = JSON.parse(env.JWKS).keys;
  const [{ k, kid }] = JSON.parse(env.SETTINGS_KEYS).keys;
  const usages = ["encrypt", "decrypt"] as const;
  return {
    verifying: await crypto.subtle.importKey("jwk", jwk, RSA, false, ["verify"]),
    sealing: await crypto.subtle.importKey("raw", fromBase64url(k), "AES-GCM", false, [...usages]),
    kid,
  };
}

async function verify(authorization: string, tenant: string, { verifying }: Keys) {
  const [header = "", payload = "", signature = ""] = authorization.slice("Bearer ".length).split(".");
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  if (!(await crypto.subtle.verify(RSA.name, verifying, fromBase64url(signature), signed))) return undefined;
  const claims: Claims = JSON.parse(new TextDecoder().decode(fromBase64url(payload)));
  const good =
    claims.iss === `https://localhost/auth/realms/${tenant}` &&
    claims.exp * 1000 > Date.now() &&
    claims.resource_access["realm-management"]?.roles.includes("manage-realm");
  return good ? claims : undefined;
}

async function read(kv: KVNamespace, tenant: string, { sealing }: Keys): Promise<Stored | undefined> {
  const text = await kv.get(`smtp:${tenant}`, { cacheTtl: KV_CACHE_MIN_SECONDS });
  if (text === null) return undefined;
  const sealed = fromBase64url(text);
  const iv = sealed.subarray(0, 12);
  const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, sealing, sealed.subarray(12));
  return JSON.parse(new TextDecoder().decode(opened));
}

async function save(
  request: Request,
  env: Env,
  context: ExecutionContext,
  tenant: string,
  { sub, preferred_username, azp }: Claims,
  before: Stored | undefined,
  { sealing, kid }: Keys,
): Promise<Response> {
  const version = crypto.randomUUID();
  const updatedAt = new Date().toISOString();
  const { host, port, from, starttls, ssl, envelopeFrom: _, ...others } = await request.json<Sent>();
  const flags = { starttls: starttls === "true", ssl: ssl === "true" };
  const { fromDisplayName, replyTo, replyToDisplayName, user, password } = others;
  const names = { fromDisplayName, replyTo, replyToDisplayName };
  const settings = { host, port: Number(port), from, ...names, ...flags, user, password };
  const record = { settings, updatedAt, updatedBy: preferred_username, version, sub: tenant };
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(JSON.stringify(record));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, sealing, plain));
  const bytes = new Uint8Array(iv.length + sealed.length);
  bytes.set(iv);
  bytes.set(sealed, iv.length);
  await env.SMTP_SETTINGS.put(`smtp:${tenant}`, toBase64url(bytes), { metadata: { kid, updatedAt } });
  const changed = Object.entries(settings).flatMap(([name, value]) =>
    before?.settings[name] === value ? [] : [name],
  );
  const by = { sub, preferred_username, azp };
  const entry = { at: updatedAt, action: "saved", family: "SHIFT", requestId: version, by, changed };
  const key = `history:${tenant}:${9_999_999_999_999 - Date.now()}:${version}`;
  const options = { metadata: entry, expirationTtl: HISTORY_KEPT_SECONDS };
  context.waitUntil(env.SMTP_SETTINGS.put(key, "", options));
  const body = { message: "Successfully updated SMTP Details", status: "OK", subSystem: 8 };
  return answer(200, body, tagged(version));
}

type Sent = Record<
  "host" | "port" | "from" | "starttls" | "ssl" | "envelopeFrom" | "user" | "password",
  string
> &
  Record<"fromDisplayName" | "replyTo" | "replyToDisplayName", string>;

function tagged(version: string): Record<string, string> {
  return { ...HTTPS, "Cache-Control": "no-store, no-transform", ETag: `"${version}"` };
}

function answer(status: number, body: object, headers: Record<string, string>): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "Cache-Control": "no-store",
      "Content-Type": "application/json",
      "X-Content-Type-Options": "nosniff",
      "X-Request-Id": crypto.randomUUID(),
      ...headers,
    },
  });
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

function toBase64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
