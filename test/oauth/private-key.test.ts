import {
  exportJWK,
  exportPKCS8,
  type GenerateKeyPairOptions,
  generateKeyPair,
  generateSecret,
  jwtVerify,
  SignJWT,
} from "jose";
import { describe, expect, it } from "vitest";
import { importSigningKey } from "../../src/oauth/private-key.ts";
import { newOAuthClient } from "../support/oauth/clients.ts";

const ALGORITHMS = ["RS256", "ES256", "ES384", "ES512", "Ed25519"];

const notAKey = {
  problem:
    'must be an unencrypted private key of RSA, EC or Ed25519, as PKCS#8 PEM ("BEGIN PRIVATE KEY") or as JWK: "openssl pkcs8 -topk8 -nocrypt" converts others',
};

const notItsCertificate = { problem: "must be followed by its own certificate, or by none" };

function newKeyPair(alg: string, options: GenerateKeyPairOptions = {}) {
  return generateKeyPair(alg, { extractable: true, ...options });
}

/** Signs with an imported key, and verifies with the public key. */
async function algorithmOf(text: string, publicKey: CryptoKey): Promise<string> {
  const imported = await importSigningKey(text);
  if ("problem" in imported) return expect.fail(imported.problem);
  const { key, alg } = imported;
  const { protectedHeader } = await jwtVerify(
    await new SignJWT({}).setProtectedHeader({ alg }).sign(key),
    publicKey,
  );
  return protectedHeader.alg;
}

describe("importSigningKey", () => {
  it.each(ALGORITHMS)("finds the algorithm %s of a PKCS#8 key", async (alg) => {
    const { privateKey, publicKey } = await newKeyPair(alg);
    expect(await algorithmOf(await exportPKCS8(privateKey), publicKey)).toBe(alg);
  });

  it.each(ALGORITHMS)("finds the algorithm %s of a JWK that does not name it", async (alg) => {
    const { privateKey, publicKey } = await newKeyPair(alg);
    expect(await algorithmOf(JSON.stringify(await exportJWK(privateKey)), publicKey)).toBe(alg);
  });

  it.each(["RS512", "PS256", "EdDSA"])("uses the algorithm %s that a JWK names", async (alg) => {
    const { privateKey, publicKey } = await newKeyPair(alg);
    const jwk = { ...(await exportJWK(privateKey)), alg };
    expect(await algorithmOf(JSON.stringify(jwk), publicKey)).toBe(alg);
  });

  it("ignores text around a PEM, and line ends of any kind", async () => {
    const { privateKey, publicKey } = await newKeyPair("ES256");
    const pem = await exportPKCS8(privateKey);
    expect(await algorithmOf(`Bag Attributes\r\n${pem.replaceAll("\n", "\r\n")}\r\n`, publicKey)).toBe(
      "ES256",
    );
  });

  it("keeps kid and thumbprints of a JWK, and no other member", async () => {
    const { privateKey } = await newKeyPair("ES256");
    const header = { kid: "key-1", x5t: "abc", "x5t#S256": "def" };
    const jwk = { ...(await exportJWK(privateKey)), ...header, use: "sig", x5u: "https://example.com" };
    expect(await importSigningKey(JSON.stringify(jwk))).toMatchObject({ header });
    expect(await importSigningKey(JSON.stringify({ ...jwk, kid: 1, x5t: null }))).toMatchObject({
      header: { "x5t#S256": "def" },
    });
  });

  it("has no header of its own for a PEM without a certificate", async () => {
    const { privateKey } = await newKeyPair("ES256");
    expect(await importSigningKey(await exportPKCS8(privateKey))).toMatchObject({ header: {} });
  });

  it("accepts a certificate before or after its key", async () => {
    const { credential, certificate } = await newOAuthClient({ credential: "certificate" });
    const header = {
      x5t: expect.stringMatching(/^[\w-]{27}$/),
      "x5t#S256": expect.stringMatching(/^[\w-]{43}$/),
    };
    for (const text of [`${credential}${certificate}`, `${certificate}\n${credential}`]) {
      expect(await importSigningKey(text)).toEqual({ key: expect.any(CryptoKey), alg: "RS256", header });
    }
  });

  it("rejects the certificate of another key", async () => {
    const [one, other] = [
      await newOAuthClient({ credential: "certificate" }),
      await newOAuthClient({ credential: "certificate" }),
    ];
    expect(await importSigningKey(`${one.credential}${other.certificate}`)).toEqual(notItsCertificate);
  });

  it("rejects a certificate that is none", async () => {
    const { credential } = await newOAuthClient({ credential: "certificate" });
    const certificate = "-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----";
    expect(await importSigningKey(`${credential}${certificate}`)).toEqual(notItsCertificate);
  });

  it("rejects RSA keys of less than 2048 bits", async () => {
    const options = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]) };
    const pair = await crypto.subtle.generateKey({ ...options, modulusLength: 1024 }, true, [
      "sign",
      "verify",
    ]);
    const { privateKey } = pair as CryptoKeyPair;
    const problem = { problem: "must have at least 2048 bits" };
    expect(await importSigningKey(await exportPKCS8(privateKey))).toEqual(problem);
    expect(await importSigningKey(JSON.stringify(await exportJWK(privateKey)))).toEqual(problem);
  });

  it("rejects a public JWK", async () => {
    const { publicKey } = await newKeyPair("ES256");
    expect(await importSigningKey(JSON.stringify(await exportJWK(publicKey)))).toEqual(notAKey);
  });

  it("rejects a symmetric JWK", async () => {
    const secret = await generateSecret("HS256", { extractable: true });
    const jwk = await exportJWK(secret);
    for (const alg of ["HS256", "RS256", undefined]) {
      expect(await importSigningKey(JSON.stringify({ ...jwk, alg }))).toEqual(notAKey);
    }
  });

  it("rejects a JWK for encryption", async () => {
    const { privateKey } = await newKeyPair("RSA-OAEP");
    const jwk = { ...(await exportJWK(privateKey)), alg: "RSA-OAEP" };
    expect(await importSigningKey(JSON.stringify(jwk))).toEqual(notAKey);
  });

  it.each([
    "",
    "s3cret",
    "{",
    "{}",
    "null",
    "[]",
    '{"kty":"RSA"}',
    '{"kty":"EC","crv":"P-256"}',
    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBO\n-----END ENCRYPTED PRIVATE KEY-----",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0C\n-----END PUBLIC KEY-----",
  ])("rejects %j", async (text) => {
    expect(await importSigningKey(text)).toEqual(notAKey);
  });
});
