import {
  base64url,
  createLocalJWKSet,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from "jose";
import { canProduceSame } from "./auth/issuer-templates.ts";
import { parseRole, type Role } from "./auth/roles.ts";
import { SafeError } from "./errors.ts";
import { log } from "./log.ts";
import type { SealingKey, SealingKeys } from "./storage/sealing.ts";

/** An invalid variable or secret. The message names it and never quotes its value. */
export class ConfigError extends SafeError {
  override readonly name = "ConfigError";
}

/** The Worker's variables and secrets, validated and parsed. */
export interface Config {
  /** Base host, lower case, without port or trailing dot. */
  hostname: string;
  /** Templates of `iss`, with `{tenant}` and `{hostname}`. */
  issuers: readonly string[];
  /** Template of the address of an issuer's JWK Set, with `{issuer}`, `{tenant}` and `{hostname}`. */
  jwksUri: string;
  /** Keys of every issuer, if `JWKS` is set. They replace fetching. */
  inlineKeys: JWTVerifyGetKey | undefined;
  /** Value that `aud` must contain. */
  audience: string | undefined;
  /** How to introspect tokens without roles (RFC 7662), if configured. */
  introspection: Introspection | undefined;
  /** Template of a realm's address in Keycloak's Admin REST API, with `{tenant}` and `{hostname}`, if configured. */
  keycloakAdminUrl: string | undefined;
  /** A caller needs one of these roles. */
  adminRoles: readonly Role[];
  /** A caller needs one of these roles to send mail. */
  senderRoles: readonly Role[];
  /** Address of a resolver for DNS over HTTPS (RFC 8484), if configured. */
  dohUrl: string | undefined;
  /** Allows SMTP servers on loopback and private addresses, for local work. */
  allowPrivateHosts: boolean;
  settingsKeys: SealingKeys;
}

/** The client that introspects tokens. */
interface Introspection {
  clientId: string;
  key: { key: CryptoKey; kid: string };
  /** Template of the address of an issuer's endpoint, with `{issuer}`, `{tenant}` and `{hostname}`. */
  uri: string;
}

// Holds values, not promises: Workers forbids awaiting a promise of another request.
const parsed = new WeakMap<Env, Config>();

/**
 * Parses the configuration once per isolate.
 *
 * @throws {ConfigError}
 */
export async function loadConfig(env: Env): Promise<Config> {
  const cached = parsed.get(env);
  if (cached !== undefined) return cached;
  if (env.SMTP_SETTINGS === undefined) misconfigured("SMTP_SETTINGS must be bound to a KV namespace");
  if (env.TEST_RATE_LIMITER === undefined) misconfigured("TEST_RATE_LIMITER must be bound to a rate limiter");
  if (env.OUTBOX === undefined) misconfigured("OUTBOX must be bound to the Durable Object Outbox");
  // passThroughHostname reads it and must not fail.
  parseFlag("PASS_THROUGH", env.PASS_THROUGH);
  const config: Config = {
    hostname: parseHostname(env.HOSTNAME) ?? misconfigured("HOSTNAME must be a host name"),
    issuers: parseIssuers(env.ISSUERS, parseHostname(env.HOSTNAME)),
    jwksUri: parseIssuerUri("JWKS_URI", env.JWKS_URI),
    inlineKeys: parseInlineKeys(env.JWKS),
    audience: env.AUDIENCE || undefined,
    introspection: await parseIntrospection(env),
    keycloakAdminUrl: env.KEYCLOAK_ADMIN_URL ? parseAdminUrl(env.KEYCLOAK_ADMIN_URL) : undefined,
    adminRoles: parseRoles("ADMIN_ROLES", env.ADMIN_ROLES),
    senderRoles: parseRoles("SENDER_ROLES", env.SENDER_ROLES),
    dohUrl: env.DOH_URL ? parseDohUrl(env.DOH_URL) : undefined,
    allowPrivateHosts: parseFlag("ALLOW_PRIVATE_HOSTS", env.ALLOW_PRIVATE_HOSTS),
    settingsKeys: await parseSettingsKeys(env.SETTINGS_KEYS),
  };
  // Concurrent first requests parse in parallel.
  if (!parsed.has(env)) logWarnings(config);
  parsed.set(env, config);
  return config;
}

/** Reports valid but weak settings. */
function logWarnings({ inlineKeys, audience, allowPrivateHosts }: Config): void {
  const warn = (reason: string) => log("warn", "configuration warning", { reason });
  if (inlineKeys !== undefined) warn("JWKS is for local work: the same keys sign for every tenant");
  if (allowPrivateHosts) {
    warn("ALLOW_PRIVATE_HOSTS is for local work: tenants reach servers on private addresses");
  }
  // RFC 9700 section 2.3.
  if (audience === undefined) warn("AUDIENCE is not set: tokens for any client of a realm are valid");
}

/**
 * The base host whose other paths belong to the origin, if `PASS_THROUGH` is on. Separate from
 * {@link loadConfig}, so an invalid secret of ours does not take down the origin's login pages.
 */
export function passThroughHostname(env: Env): string | undefined {
  return env.PASS_THROUGH === "true" ? parseHostname(env.HOSTNAME) : undefined;
}

/** Replaces each `{name}` in a template by its value. Unknown placeholders stay. */
export function expand(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : placeholder,
  );
}

function misconfigured(reason: string): never {
  throw new ConfigError(reason);
}

const HOSTNAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function parseHostname(text: string | undefined): string | undefined {
  const hostname = text?.trim().toLowerCase();
  return hostname !== undefined && HOSTNAME.test(hostname) ? hostname : undefined;
}

function parseList(name: string, text: string | undefined): string[] {
  const list = (text ?? "").split(",").flatMap((item) => item.trim() || []);
  return list.length > 0 ? list : misconfigured(`${name} must not be empty`);
}

function parseFlag(name: string, text: string | undefined): boolean {
  if (text === "true") return true;
  return text === "false" || !text ? false : misconfigured(`${name} must be "true" or "false"`);
}

// Anyone on the path could replace keys fetched over plain http, and sign tokens.
function parseTemplate(name: string, text: string | undefined, more?: { issuer: string }): string {
  const example = { tenant: "a", hostname: "a.example", ...more };
  const url = URL.parse(expand(text ?? "", example));
  if (text === undefined || url?.protocol !== "https:") misconfigured(`${name} must produce https addresses`);
  if (/[{}]/.test(expand(text, example))) misconfigured(`${name} has an unknown placeholder`);
  return text;
}

// Without {tenant}, a token of one issuer is valid for every tenant.
function parseIssuers(text: string | undefined, hostname = ""): string[] {
  const issuers = parseList("ISSUERS", text).map((template) => parseTemplate("ISSUERS", template));
  if (issuers.some((template) => !template.includes("{tenant}"))) {
    misconfigured("ISSUERS: each template must contain {tenant}");
  }
  const templates = [...new Set(issuers.map((template) => expand(template, { hostname })))];
  const isAmbiguous = templates.some((template, index) =>
    templates.slice(index + 1).some((other) => canProduceSame(template, other)),
  );
  if (isAmbiguous) misconfigured("ISSUERS: two templates can produce the same address for different tenants");
  return issuers;
}

// With one key set for all issuers, a tenant's realm can sign for another tenant (RFC 8725 section 3.8).
function parseIssuerUri(name: string, text: string | undefined): string {
  const template = parseTemplate(name, text, { issuer: "https://a.example" });
  return /\{(issuer|tenant)\}/.test(template)
    ? template
    : misconfigured(`${name} must contain {issuer} or {tenant}`);
}

// Without {tenant}, every save would change the same realm.
function parseAdminUrl(text: string): string {
  const template = parseTemplate("KEYCLOAK_ADMIN_URL", text);
  return template.includes("{tenant}") ? template : misconfigured("KEYCLOAK_ADMIN_URL must contain {tenant}");
}

// The value may hold an account of the operator, so the message does not quote it.
function parseDohUrl(text: string): string {
  const url = URL.parse(text);
  // fetch rejects user information. A URI template (RFC 8484 section 4.1.1) has braces.
  const isValid =
    url?.protocol === "https:" && url.username === "" && url.password === "" && !/[{}]/.test(text);
  return isValid ? text : misconfigured("DOH_URL must be an https address without placeholders");
}

async function parseIntrospection(env: Env): Promise<Introspection | undefined> {
  const { INTROSPECTION_CLIENT_ID: clientId, INTROSPECTION_KEY: key, INTROSPECTION_URI: uri } = env;
  if (!clientId && !key) return undefined;
  if (!clientId) misconfigured("INTROSPECTION_CLIENT_ID must accompany INTROSPECTION_KEY");
  if (!key) misconfigured("INTROSPECTION_KEY must accompany INTROSPECTION_CLIENT_ID");
  return { clientId, key: await parseClientKey(key), uri: parseIssuerUri("INTROSPECTION_URI", uri) };
}

const CLIENT_KEY_ALGORITHMS = ["ES256", "ES384", "Ed25519", "PS256", "RS256"];

/** Parses the private key of the introspecting client. Realms hold the public key only. */
async function parseClientKey(text: string): Promise<{ key: CryptoKey; kid: string }> {
  const jwk: JWK = parseJson("INTROSPECTION_KEY", text) ?? {};
  const { kid, alg = "" } = jwk;
  if (typeof kid === "string" && kid !== "" && CLIENT_KEY_ALGORITHMS.includes(alg)) {
    const key = await importJWK(jwk, alg).catch(() => undefined);
    if (key instanceof CryptoKey && key.type === "private") return { key, kid };
  }
  const algorithms = CLIENT_KEY_ALGORITHMS.join(", ");
  return misconfigured(
    `INTROSPECTION_KEY must be a private JWK with kid and one of these alg: ${algorithms}`,
  );
}

const ROLE_FORMS = "client/role (such as realm-management/manage-realm), realm:role or scope:word";

function parseRoles(name: string, text: string | undefined): Role[] {
  return parseList(name, text).map(
    (role, index) => parseRole(role) ?? misconfigured(`${name}: write role ${index + 1} as ${ROLE_FORMS}`),
  );
}

function parseInlineKeys(text: string | undefined): JWTVerifyGetKey | undefined {
  return text ? createLocalJWKSet({ keys: parseKeyList("JWKS", text) }) : undefined;
}

function parseKeyList(name: string, text: string | undefined): JSONWebKeySet["keys"] {
  const keys = parseJson(name, text)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isObject)) {
    return misconfigured(`${name} must be a JWK Set with at least one key`);
  }
  return keys as JSONWebKeySet["keys"];
}

// The error of JSON.parse quotes its input, which may be a secret.
function parseJson(name: string, text: string | undefined): (JWK & { keys?: unknown }) | null {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return misconfigured(`${name} must be JSON`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses the secret `SETTINGS_KEYS`.
 *
 * @param text a JWK Set (RFC 7517 section 5) of 256-bit `oct` keys, each with `kid`
 * @throws {ConfigError}
 */
export async function parseSettingsKeys(text: string | undefined): Promise<SealingKeys> {
  const jwks = parseKeyList("SETTINGS_KEYS", text);
  const keys = await Promise.all(jwks.map(parseSettingsKey));
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
    misconfigured("SETTINGS_KEYS: each kid must be unique");
  }
  // Removing one of them would leave the key in use.
  if (new Set(jwks.map(({ k }) => String(base64url.decode(k ?? "")))).size < jwks.length)
    misconfigured("SETTINGS_KEYS: each k must be unique");
  return keys as [SealingKey, ...SealingKey[]];
}

async function parseSettingsKey(jwk: JSONWebKeySet["keys"][number], index: number): Promise<SealingKey> {
  const name = `SETTINGS_KEYS: key ${index + 1}`;
  const { kty, kid, k, alg } = jwk;
  if (typeof kid !== "string" || kid === "") return misconfigured(`${name} has no kid`);
  if (kty !== "oct" || typeof k !== "string") return misconfigured(`${name} must have kty "oct" and k`);
  if (alg !== undefined && alg !== "A256KW") return misconfigured(`${name}: alg must be A256KW`);
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("jwk", { kty, k }, "AES-KW", false, ["wrapKey", "unwrapKey"]);
  } catch {
    return misconfigured(`${name}: k must be the base64url form of a key`);
  }
  if ((key.algorithm as CryptoKeyAesKeyAlgorithm).length !== 256)
    return misconfigured(`${name} must have 256 bits`);
  if (base64url.decode(k).every((byte) => byte === 0)) return misconfigured(`${name}: k must be random`);
  return { kid, key, mac: await deriveMac(k) };
}

/** Derives a key for HMAC, so that one secret never serves two algorithms (RFC 5869). */
async function deriveMac(k: string): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey("raw", base64url.decode(k), "HKDF", false, ["deriveKey"]);
  const info = new TextEncoder().encode("idempotency fingerprint");
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return crypto.subtle.deriveKey(derivation, secret, { name: "HMAC", hash: "SHA-256", length: 256 }, false, [
    "sign",
  ]);
}
