import { createLocalJWKSet, exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT } from "jose";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { IssuerUnavailableError } from "../../src/auth/errors.ts";
import { JWKS_MAX_CANDIDATE_KEYS, type TokenRules, verifyToken } from "../../src/auth/verify-token.ts";
import { encoded, forged, hmacSigned, publicPem, withPart } from "../support/forge.ts";
import { administratorClaims, type Issuer, newIssuer } from "../support/issuer.ts";

const WRONG_SIGNATURE = "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
const NO_MATCHING_KEY = "ERR_JWKS_NO_MATCHING_KEY";
const WRONG_ISSUER = "iss is not an issuer of this tenant";

let realm: Issuer;
let stranger: Issuer;
let rsaRealm: Issuer;

beforeAll(async () => {
  realm = await newIssuer("acme");
  stranger = await newIssuer("stranger");
  rsaRealm = await newIssuer("rsa", "RS256");
});

describe("structure", () => {
  it.each<[string, string]>([
    ["a", "token is not a JWT"],
    ["a.b.c", "token is not a JWT"],
    ["..", "token is not a JWT"],
    ["a.b.c.d.e", "token is not a JWT"],
    ["null", "token is not a JWT"],
    ["bnVsbA.bnVsbA.", "token is not a JWT"],
    ["e30.e30.e30", "alg is not allowed"],
  ])("rejects %j before it needs a key", async (token, reason) => {
    await expectRejectedWithoutKeys(token, reason);
  });
});

describe("alg (RFC 8725 sections 2.1 and 3.1)", () => {
  it.each("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" "))(
    "accepts %s",
    async (alg) => {
      const { privateKey, publicJwk } = await newKeyPair(alg);
      const token = await new SignJWT(administratorClaims(realm.issuer))
        .setProtectedHeader({ alg })
        .sign(privateKey);
      expect(await verify(token, { keys: [publicJwk] })).toMatchObject({ iss: realm.issuer });
    },
  );

  it.each([..."none None NONE nOnE RS1 rs256 HS512 A256KW dir".split(" "), "", null, 256, true, {}])(
    "rejects %j before it needs a key",
    async (alg) => {
      const header = { alg, typ: "JWT" };
      for (const signature of ["", "c2ln"]) {
        const token = forged(header, administratorClaims(realm.issuer), signature);
        await expectRejectedWithoutKeys(token, "alg is not allowed");
      }
    },
  );

  it("rejects a header without alg before it needs a key", async () => {
    const token = forged({ typ: "JWT" }, administratorClaims(realm.issuer), "c2ln");
    await expectRejectedWithoutKeys(token, "alg is not allowed");
  });

  it.each<[string, () => string | Promise<string>]>([
    ["PEM", () => publicPem(rsaRealm)],
    ["JWK", () => JSON.stringify(rsaRealm.publicJwk)],
  ])("rejects HS256 with the issuer's public %s as the secret", async (_, secret) => {
    const header = { alg: "HS256", kid: rsaRealm.kid };
    const token = await hmacSigned(header, administratorClaims(realm.issuer), await secret());
    await expectRejected(token, "alg is not allowed", { keys: [rsaRealm.publicJwk] });
  });

  it("rejects HS256 even if the issuer publishes a symmetric key", async () => {
    const secret = { kty: "oct", alg: "HS256", k: "c2hhcmVkLXNlY3JldA" };
    const token = await hmacSigned({ alg: "HS256" }, administratorClaims(realm.issuer), "shared-secret");
    await expectRejected(token, "alg is not allowed", { keys: [secret] });
  });

  it("rejects an RS256 token whose header is changed to PS256", async () => {
    const header = encoded({ alg: "PS256", kid: rsaRealm.kid });
    const token = withPart(await rsaRealm.token({ iss: realm.issuer }), 0, header);
    await expectRejected(token, NO_MATCHING_KEY, { keys: [rsaRealm.publicJwk] });
  });
});

describe("header members", () => {
  it("rejects crit before it needs a key, even for an extension that jose supports", async () => {
    const token = await realm.token({}, { crit: ["b64"], b64: true });
    await expectRejectedWithoutKeys(token, "crit is not supported");
  });

  it.each([undefined, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])(
    "accepts typ %j (RFC 8725 section 3.11)",
    async (typ) => {
      expect(await verify(await realm.token({}, { typ }))).toMatchObject({ iss: realm.issuer });
    },
  );

  it.each(["logout+jwt", "dpop+jwt", "JOSE", "JWT ", "", null, 1])(
    "rejects typ %j before it needs a key",
    async (typ) => {
      await expectRejectedWithoutKeys(await realm.token({}, { typ }), "header typ is neither JWT nor at+jwt");
    },
  );

  it("ignores jwk", async () => {
    const header = { kid: realm.kid, jwk: stranger.publicJwk };
    await expectRejected(await stranger.token({ iss: realm.issuer }, header), WRONG_SIGNATURE);
  });

  it("accepts jwk, jku and x5u if the issuer's own key signs the token", async () => {
    const jku = "https://attacker.test/a";
    const token = await realm.token({}, { jwk: stranger.publicJwk, jku, x5u: "https://attacker.test/b" });
    expect(await verify(token)).toMatchObject({ iss: realm.issuer });
  });
});

describe("signature", () => {
  it("rejects an empty signature with an allowed algorithm", async () => {
    await expectRejected(withPart(await realm.token(), 2, ""), WRONG_SIGNATURE);
  });

  it("rejects the signature of another token", async () => {
    const [, , signature = ""] = (await realm.token({ jti: "other" })).split(".");
    await expectRejected(withPart(await realm.token(), 2, signature), WRONG_SIGNATURE);
  });

  it("rejects claims changed after signing", async () => {
    const weak = await realm.token({ resource_access: {} });
    const changed = withPart(weak, 1, encoded(administratorClaims(realm.issuer)));
    await expectRejected(changed, WRONG_SIGNATURE);
  });

  it("rejects a header changed after signing", async () => {
    const header = encoded({ alg: "ES256", kid: realm.kid, typ: "at+jwt" });
    await expectRejected(withPart(await realm.token(), 0, header), WRONG_SIGNATURE);
  });

  it("rejects a stranger's signature with the issuer's kid", async () => {
    const token = await stranger.token({ iss: realm.issuer }, { kid: realm.kid });
    await expectRejected(token, WRONG_SIGNATURE);
  });
});

describe("key selection", () => {
  it("accepts a token without kid", async () => {
    const token = await realm.token({}, { kid: undefined });
    expect(await verify(token)).toMatchObject({ iss: realm.issuer });
  });

  it("rejects an unknown kid", async () => {
    await expectRejected(await realm.token({}, { kid: "unknown" }), NO_MATCHING_KEY);
  });

  it.each<[string, object]>([
    ["encryption", { use: "enc" }],
    ["another operation", { key_ops: ["sign"] }],
    ["another algorithm", { alg: "ES384" }],
  ])("rejects a token whose key is for %s", async (_, change) => {
    await expectRejected(await realm.token(), NO_MATCHING_KEY, {
      keys: [{ ...realm.publicJwk, ...change }],
    });
  });

  it("rejects a token whose key is malformed", async () => {
    const keys = [{ ...realm.publicJwk, x: "AAAA", y: "AAAA" }];
    await expectRejected(await realm.token(), "the issuer's key is unusable", { keys });
  });

  it("reports unavailable keys as they are", async () => {
    const unavailable = new IssuerUnavailableError("the issuer is unreachable");
    const keysOf = () => () => Promise.reject(unavailable);
    await expect(verify(await realm.token(), { keysOf })).rejects.toBe(unavailable);
  });
});

describe("keys that share a kid (RFC 7517 section 4.5)", () => {
  const twin = () => ({ ...stranger.publicJwk, kid: realm.kid });

  it("tries the next key if the first does not verify the signature", async () => {
    const keys = [twin(), realm.publicJwk];
    expect(await verify(await realm.token(), { keys })).toMatchObject({ iss: realm.issuer });
  });

  it("tries the next key if the first is weak", async () => {
    const weak = { ...rsaRealm.publicJwk, n: "u".repeat(171) };
    const token = await rsaRealm.token({ iss: realm.issuer });
    expect(await verify(token, { keys: [weak, rsaRealm.publicJwk] })).toMatchObject({ iss: realm.issuer });
  });

  it("tries no more keys than the limit", async () => {
    const token = await realm.token();
    const decoys = Array.from({ length: JWKS_MAX_CANDIDATE_KEYS }, twin);
    expect(await verify(token, { keys: [...decoys.slice(1), realm.publicJwk] })).toHaveProperty("iss");
    await expectRejected(token, "no key with this kid verifies the signature", {
      keys: [...decoys, realm.publicJwk],
    });
  });

  it("rejects a signature that none of them verifies", async () => {
    const other = await newIssuer("other");
    const token = await other.token({ iss: realm.issuer }, { kid: realm.kid });
    await expectRejected(token, "no key with this kid verifies the signature", {
      keys: [realm.publicJwk, twin()],
    });
  });

  it("rejects invalid claims under a valid signature", async () => {
    const early = await realm.token({ nbf: Math.floor(Date.now() / 1000) + 100 });
    await expectRejected(early, "ERR_JWT_CLAIM_VALIDATION_FAILED nbf", { keys: [twin(), realm.publicJwk] });
  });
});

describe("iss", () => {
  it.each<[string, (issuer: string) => unknown]>([
    ["with a trailing slash", (issuer) => `${issuer}/`],
    ["with trailing white space", (issuer) => `${issuer} `],
    ["in capital letters", (issuer) => issuer.toUpperCase()],
    ["with a capital scheme", (issuer) => issuer.replace("https", "HTTPS")],
    ["over plain http", (issuer) => issuer.replace("https", "http")],
    ["with the default port", (issuer) => issuer.replace("example.com", "example.com:443")],
    ["with a trailing dot on its host", (issuer) => issuer.replace("example.com", "example.com.")],
    ["with a dot segment", (issuer) => issuer.replace("realms/", "realms/master/../")],
    ["with a percent-encoded letter", (issuer) => issuer.replace("realms/a", "realms/%61")],
    ["with a query", (issuer) => `${issuer}?x=1`],
    ["as user information", (issuer) => issuer.replace("example.com/", "example.com@evil.test/")],
    ["as a subdomain", (issuer) => issuer.replace("example.com", "example.com.evil.test")],
    ["at another tenant's host", (issuer) => issuer.replace("//", "//other.")],
    ["of another tenant", (issuer) => issuer.replace("acme", "other")],
    ["of a tenant whose id is a prefix", (issuer) => issuer.slice(0, -1)],
    ["of a tenant whose id is longer", (issuer) => `${issuer}0`],
    ["of a tenant whose id has a suffix", (issuer) => `${issuer}-prod`],
    ["of a tenant whose id has a prefix", (issuer) => issuer.replace("acme", "prod-acme")],
    ["with the placeholders of the configuration", () => "https://{hostname}/auth/realms/{tenant}"],
    ["in a list", (issuer) => [issuer]],
    ["null", () => null],
    ["absent", () => undefined],
  ])("rejects the issuer %s before it needs a key", async (_, change) => {
    await expectRejectedWithoutKeys(await realm.token({ iss: change(realm.issuer) }), WRONG_ISSUER);
  });

  it("accepts each of several issuers, and asks for the keys of the token's own", async () => {
    const keysOf = vi.fn(() => createLocalJWKSet({ keys: [realm.publicJwk] }));
    const token = await realm.token({ iss: "https://b.test" });
    await verify(token, { issuers: ["https://a.test", "https://b.test"], keysOf });
    expect(keysOf).toHaveBeenCalledExactlyOnceWith("https://b.test");
  });
});

describe("times", () => {
  const now = new Date("2026-11-20T12:00:00.000Z");
  const noon = now.getTime() / 1000;
  const tokenAt = (claims: JWTPayload) => realm.token({ iat: noon, exp: noon + 300, ...claims });

  it.each<[string, JWTPayload]>([
    ["expired 29 seconds ago", { exp: noon - 29 }],
    ["becomes valid in 30 seconds", { nbf: noon + 30 }],
    ["is issued 30 seconds ahead", { iat: noon + 30 }],
  ])("accepts a token that %s", async (_, claims) => {
    expect(await verify(await tokenAt(claims), {}, now)).toMatchObject(claims);
  });

  it.each<[string, JWTPayload, string]>([
    ["expired 30 seconds ago", { exp: noon - 30 }, "token has expired"],
    ["becomes valid in 31 seconds", { nbf: noon + 31 }, "ERR_JWT_CLAIM_VALIDATION_FAILED nbf"],
    ["is issued 31 seconds ahead", { iat: noon + 31 }, "iat is in the future"],
  ])("rejects a token that %s", async (_, claims, reason) => {
    await expectRejected(await tokenAt(claims), reason, {}, now);
  });

  it("rejects an expired token before it needs a key", async () => {
    await expectRejectedWithoutKeys(await realm.token({ exp: 1 }), "token has expired");
  });

  it.each([undefined, null, "9999999999"])("rejects exp %j before it needs a key", async (exp) => {
    await expectRejectedWithoutKeys(await realm.token({ exp }), "exp is missing or not a number");
  });

  it.each(["nbf", "iat"])("rejects %s as a string", async (claim) => {
    await expectRejected(await realm.token({ [claim]: "0" }), `ERR_JWT_CLAIM_VALIDATION_FAILED ${claim}`);
  });
});

describe("claim typ", () => {
  it.each(["ID", "Refresh", "Offline", "bearer", "Logout", "", null, ["Bearer"]])(
    "rejects %j: Keycloak's access tokens have Bearer",
    async (typ) => {
      await expectRejected(await realm.token({ typ }), "claim typ is not Bearer");
    },
  );

  it("may be absent if header typ is at+jwt (RFC 9068 section 2.1)", async () => {
    const token = await realm.token({ typ: undefined }, { typ: "at+jwt" });
    expect(await verify(token)).toMatchObject({ iss: realm.issuer });
  });
});

describe("aud", () => {
  const audience = "tenant-mail";

  it.each(["tenant-mail", ["account", "tenant-mail"]])("accepts %j", async (aud) => {
    expect(await verify(await realm.token({ aud }), { audience })).toMatchObject({ aud });
  });

  it.each([undefined, "account", "tenant-mail2", "tenant", "", [], ["account"]])(
    "rejects %j",
    async (aud) => {
      const token = await realm.token({ aud });
      await expectRejected(token, "ERR_JWT_CLAIM_VALIDATION_FAILED aud", { audience });
    },
  );
});

/** The rules of the realm's tenant, with changes, or with other published keys. */
type Changes = Partial<TokenRules> & { keys?: object[] };

function verify(token: string, { keys = [realm.publicJwk], ...changes }: Changes = {}, now = new Date()) {
  const keysOf = () => createLocalJWKSet(JSON.parse(JSON.stringify({ keys })));
  return verifyToken(token, { issuers: [realm.issuer], audience: undefined, keysOf, ...changes }, now);
}

async function expectRejected(token: string, reason: string, changes?: Changes, now?: Date): Promise<void> {
  await expect(verify(token, changes, now)).rejects.toMatchObject({ name: "TokenError", message: reason });
}

async function expectRejectedWithoutKeys(token: string, reason: string): Promise<void> {
  const keysOf = vi.fn<TokenRules["keysOf"]>();
  await expectRejected(token, reason, { keysOf });
  expect(keysOf).not.toHaveBeenCalled();
}

let rsaKeyPair: ReturnType<typeof newRsaKeyPair> | undefined;

/** Shares one RSA key among algorithms: RSA key generation is slow. */
async function newKeyPair(alg: string) {
  if (/^[RP]S/.test(alg)) {
    rsaKeyPair ??= newRsaKeyPair();
    const { privateJwk, publicJwk } = await rsaKeyPair;
    return { privateKey: await importJWK(privateJwk, alg), publicJwk };
  }
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { privateKey, publicJwk: await exportJWK(publicKey) };
}

async function newRsaKeyPair() {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  return { privateJwk: await exportJWK(privateKey), publicJwk: await exportJWK(publicKey) };
}
