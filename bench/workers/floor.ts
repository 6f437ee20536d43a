import { DurableObject } from "cloudflare:workers";
/**
 * The least work that saves and reads settings, with Web APIs only: no framework and no library. It verifies
 * the token, decrypts the stored record, encrypts the settings and records history. Unlike ours, it does not
 * validate, has one content key for all records, and writes no log.
 */
export default {
  async fetch(request, env, context) {
    const tenant = new URL(request.url).pathname.split("/")[3] ?? "";
    keys ??= await importKeys(env);
    const claims = await verify(request.headers.get("Authorization") ?? "", tenant, keys);
    if (claims === undefined) {
      const body = { message: "HTTP 401 Unauthorized.", status: "Unauthorized", subSystem: 8 };
      return respond(401, body, { "WWW-Authenticate": 'Bearer error="invalid_token"' });
    }
    const stored = await read(env.SMTP_SETTINGS, tenant, keys);
    if (request.method === "POST") return save(request, env, context, tenant, claims, stored, keys);
    if (stored === undefined) return new Response("", { status: 404 });
    const { settings, updatedAt, updatedBy, version } = stored;
    const masked = { ...settings, port: String(settings.port), password: "**********" };
    const envelope = { message: "Successfully read SMTP Details", status: "OK", subSystem: 8 };
    const body = { ...envelope, settings: masked, updatedAt, updatedBy, warnings: [] };
    return respond(200, body, headersOf(version));
  },
} satisfies ExportedHandler<Env>;

type Keys = Awaited<ReturnType<typeof importKeys>>;

type Claims = Record<"iss" | "sub" | "preferred_username" | "azp", string> & {
  exp: number;
  resource_access: Record<string, { roles: string[] }>;
};

type Stored = Record<"sub" | "updatedAt" | "updatedBy" | "version", string> & {
  settings: Record<string, string | number | boolean | undefined>;
};

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const DAY_SECONDS = 24 * 60 * 60;

let keys: Keys | undefined;

async function importKeys(env: Env) {
  const [jwk] = JSON.parse(env.JWKS).keys;
  const [{ k, kid }] = JSON.parse(env.SETTINGS_KEYS).keys;
  return {
    verifying: await crypto.subtle.importKey("jwk", jwk, RSA, false, ["verify"]),
    sealing: await crypto.subtle.importKey("raw", fromBase64url(k), "AES-GCM", false, ["encrypt", "decrypt"]),
    kid: String(kid),
  };
}

async function verify(
  authorization: string,
  tenant: string,
  { verifying }: Keys,
): Promise<Claims | undefined> {
  const [header = "", payload = "", signature = ""] = authorization.slice("Bearer ".length).split(".");
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  if (!(await crypto.subtle.verify(RSA.name, verifying, fromBase64url(signature), signed))) return undefined;
  const claims: Claims = JSON.parse(new TextDecoder().decode(fromBase64url(payload)));
  const valid =
    claims.iss === `https://localhost/auth/realms/${tenant}` &&
    claims.exp * 1000 > Date.now() &&
    claims.resource_access["realm-management"]?.roles.includes("manage-realm");
  return valid ? claims : undefined;
}

async function read(kv: KVNamespace, tenant: string, { sealing }: Keys): Promise<Stored | undefined> {
  const text = await kv.get(`smtp:${tenant}`, { cacheTtl: 30 });
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
  const { port, starttls, ssl, envelopeFrom: _, ...others } = await request.json<Record<string, string>>();
  const settings = { ...others, port: Number(port), starttls: starttls === "true", ssl: ssl === "true" };
  const record: Stored = { settings, updatedAt, updatedBy: preferred_username, version, sub: tenant };
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(JSON.stringify(record));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, sealing, plain));
  const bytes = new Uint8Array(iv.length + sealed.length);
  bytes.set(iv);
  bytes.set(sealed, iv.length);
  const value = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  await env.SMTP_SETTINGS.put(`smtp:${tenant}`, value, { metadata: { kid, updatedAt } });
  const changes = Object.entries(settings).filter(([name, value]) => before?.settings[name] !== value);
  const entry = {
    at: updatedAt,
    action: "saved",
    family: "SHIFT",
    requestId: version,
    by: { sub, preferred_username, azp },
    changed: changes.map(([name]) => name),
  };
  const key = `history:${tenant}:${9_999_999_999_999 - Date.now()}:${version}`;
  const options = { metadata: entry, expirationTtl: 400 * DAY_SECONDS };
  context.waitUntil(env.SMTP_SETTINGS.put(key, "", options));
  const body = { message: "Successfully updated SMTP Details", status: "OK", subSystem: 8 };
  return respond(200, body, headersOf(version));
}

function headersOf(version: string): Record<string, string> {
  return { "Cache-Control": "no-store, no-transform", ETag: `"${version}"` };
}

function respond(status: number, body: object, headers: Record<string, string>): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "Cache-Control": "no-store",
      "Content-Type": "application/json",
      "Strict-Transport-Security": "max-age=31536000",
      "X-Content-Type-Options": "nosniff",
      "X-Request-Id": crypto.randomUUID(),
      ...headers,
    },
  });
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

/** wrangler requires the class that `wrangler.toml` binds. */
export class Outbox extends DurableObject {}
