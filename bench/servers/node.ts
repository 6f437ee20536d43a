import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import Fastify, { type FastifyReply } from "fastify";
import { createLocalJWKSet, type JWTPayload, jwtVerify } from "jose";
import type { Certificate } from "../lib/miniflare.ts";

/** What the Node server is started with. */
export interface NodeServerOptions {
  certificate: Certificate;
  /** Path of the SQLite file. */
  database: string;
  /** Like the Worker's `JWKS`. */
  jwks: string;
  /** Like the Worker's `SETTINGS_KEYS`. */
  settingsKeys: string;
}

interface Settings {
  host: string;
  from: string;
  port: number;
  starttls: boolean;
  ssl: boolean;
  password?: string;
}

interface StoredRecord {
  settings: Settings;
  updatedAt: string;
  updatedBy: string;
  version: string;
}

interface Row {
  sealed: Uint8Array;
}

type Claims = JWTPayload & { resource_access?: { "realm-management"?: { roles?: string[] } } };

const options = JSON.parse(process.argv[2] ?? "") as NodeServerOptions;
const findKey = createLocalJWKSet(JSON.parse(options.jwks));
const settingsKey = Buffer.from(JSON.parse(options.settingsKeys).keys[0].k, "base64url");

const database = new DatabaseSync(options.database);
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE settings (tenant TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE history (tenant TEXT NOT NULL, at TEXT NOT NULL, entry TEXT NOT NULL);
  CREATE INDEX history_by_tenant ON history (tenant, at);
`);
const select = database.prepare("SELECT sealed FROM settings WHERE tenant = ?");
const upsert = database.prepare("INSERT OR REPLACE INTO settings VALUES (?, ?)");
const insert = database.prepare("INSERT INTO history VALUES (?, ?, ?)");

const text = { type: "string", maxLength: 255 };
const flag = { type: "boolean" };
const settingsSchema = {
  type: "object",
  required: ["host", "from"],
  additionalProperties: false,
  properties: {
    ...{ host: { ...text, format: "hostname" }, port: { type: "integer", minimum: 1, maximum: 65_535 } },
    ...{ from: { ...text, format: "email" }, fromDisplayName: text, replyTo: text, replyToDisplayName: text },
    ...{ envelopeFrom: text, starttls: flag, ssl: flag, auth: flag, user: text },
    password: { type: "string", maxLength: 1024 },
  },
};

const app = Fastify({
  https: { cert: options.certificate.cert, key: options.certificate.key },
  bodyLimit: 16 * 1024,
});

app.addHook("onSend", async (_, reply) => {
  // Here, as Fastify would add a charset, which ours does not send.
  reply.header("content-type", "application/json");
  reply.header("strict-transport-security", "max-age=31536000").header("x-content-type-options", "nosniff");
  if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
});

app.post<{ Params: { tenant: string }; Body: Settings }>(
  "/auth/realms/:tenant/mail/setup",
  { schema: { body: settingsSchema } },
  async ({ params: { tenant }, headers, body }, reply) => {
    const claims = await verify(headers.authorization, tenant);
    if (claims === undefined) return unauthorized(reply);
    const entries = Object.entries(body).filter(([, value]) => value !== "");
    const settings: Settings = { ...(Object.fromEntries(entries) as unknown as Settings) };
    const before = read(tenant);
    const [updatedAt, version] = [new Date().toISOString(), randomUUID()];
    const { preferred_username: updatedBy } = claims as { preferred_username: string };
    upsert.run(tenant, seal(tenant, { settings, updatedAt, updatedBy, version }));
    tag(reply, version, version);
    setImmediate(() => {
      const old = Object.entries(before?.settings ?? {});
      const changed = old.filter(([name, value]) => settings[name as keyof Settings] !== value);
      const entry = {
        action: "saved",
        requestId: version,
        by: updatedBy,
        changed: changed.map(([name]) => name),
      };
      insert.run(tenant, updatedAt, JSON.stringify(entry));
    });
    return { message: "Successfully updated SMTP Details", status: "OK", subSystem: 8 };
  },
);

app.get<{ Params: { tenant: string } }>(
  "/auth/realms/:tenant/mail/setup",
  async ({ params: { tenant }, headers }, reply) => {
    if ((await verify(headers.authorization, tenant)) === undefined) return unauthorized(reply);
    const record = read(tenant);
    if (record === undefined) return reply.code(404).send({ status: "NOT_FOUND", subSystem: 8 });
    const { settings, updatedAt, updatedBy, version } = record;
    tag(reply, version, randomUUID());
    const { host, port, from, ...others } = settings;
    const view = { host, port: String(port), from, ...others, password: "**********" };
    const message = "Successfully read SMTP Details";
    return { message, status: "OK", subSystem: 8, settings: view, updatedAt, updatedBy, warnings: [] };
  },
);

process.on("disconnect", () => process.exit());
await app.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port: (app.server.address() as AddressInfo).port });

async function verify(authorization: string | undefined, tenant: string): Promise<Claims | undefined> {
  try {
    const issuer = `https://localhost/auth/realms/${tenant}`;
    const token = authorization?.replace(/^Bearer /, "") ?? "";
    const { payload } = await jwtVerify<Claims>(token, findKey, { issuer, algorithms: ["RS256"] });
    const roles = payload.resource_access?.["realm-management"]?.roles;
    return roles?.includes("manage-realm") ? payload : undefined;
  } catch {
    return undefined;
  }
}

function seal(tenant: string, record: StoredRecord): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", settingsKey, iv).setAAD(Buffer.from(tenant));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(record)), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

function read(tenant: string): StoredRecord | undefined {
  const row = select.get(tenant) as Row | undefined;
  if (row === undefined) return undefined;
  const [iv, tag, sealed] = [
    row.sealed.subarray(0, 12),
    row.sealed.subarray(12, 28),
    row.sealed.subarray(28),
  ];
  const decipher = createDecipheriv("aes-256-gcm", settingsKey, iv)
    .setAAD(Buffer.from(tenant))
    .setAuthTag(tag);
  return JSON.parse(Buffer.concat([decipher.update(sealed), decipher.final()]).toString());
}

function tag(reply: FastifyReply, version: string, requestId: string): void {
  reply.header("x-request-id", requestId).header("etag", `"${version}"`);
  reply.header("cache-control", "no-store, no-transform");
}

function unauthorized(reply: FastifyReply) {
  const body = { message: "HTTP 401 Unauthorized.", status: "Unauthorized", subSystem: 8 };
  return reply.code(401).header("www-authenticate", "Bearer").send(body);
}
