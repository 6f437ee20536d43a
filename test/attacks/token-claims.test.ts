import { createLocalJWKSet, type JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import { verifyToken } from "../../src/auth/verify-token.ts";
import { attempt, expectSaved, expectUnauthorized } from "../support/attempt.ts";
import { newIssuer } from "../support/issuer.ts";

const seconds = () => Math.floor(Date.now() / 1000);

describe("claim typ", () => {
  it.each(["ID", "Refresh", "Offline", "bearer", "Logout", "", null, ["Bearer"]])(
    "refuses %j, as only Bearer is an access token",
    async (typ) => {
      const { tenant, token } = await newIssuer(undefined, "ES256");
      await expectUnauthorized(await attempt(tenant, await token({ typ })), "claim typ is not Bearer");
    },
  );

  it("may be absent, as issuers other than Keycloak do not set it", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectSaved(await attempt(tenant, await token({ typ: undefined })));
  });
});

describe("header typ (RFC 8725 section 3.11)", () => {
  it.each([undefined, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])("may be %j", async (typ) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectSaved(await attempt(tenant, await token({}, { typ })));
  });

  it.each(["logout+jwt", "dpop+jwt", "JOSE", "JWT ", "", null, 1])("must not be %j", async (typ) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(
      await attempt(tenant, await token({}, { typ })),
      "header typ is neither JWT nor at+jwt",
    );
  });
});

describe("times, on the wire", () => {
  it("refuses a token without exp", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(await attempt(tenant, await token({ exp: undefined })), "exp is missing");
  });

  it("refuses an expired token", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(
      await attempt(tenant, await token({ exp: seconds() - 31 })),
      "token has expired",
    );
  });

  it("refuses a token that is not valid yet", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(
      await attempt(tenant, await token({ nbf: seconds() + 60 })),
      "ERR_JWT_CLAIM_VALIDATION_FAILED nbf",
    );
  });

  it("refuses a token that was issued in the future", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(
      await attempt(tenant, await token({ iat: seconds() + 60 })),
      "iat is in the future",
    );
  });
});

describe("the 30 seconds of tolerance, to the second", () => {
  const now = new Date("2026-11-20T12:00:00.000Z");
  const noon = now.getTime() / 1000;

  it.each<[string, JWTPayload]>([
    ["expired 29 seconds ago", { exp: noon - 29 }],
    ["will be valid in 30 seconds", { nbf: noon + 30 }],
    ["was issued 30 seconds ahead", { iat: noon + 30 }],
  ])("lets a token pass that %s", async (_, claims) => {
    expect(await verified({ iat: noon, exp: noon + 300, ...claims }, now)).toMatchObject(claims);
  });

  it.each<[string, JWTPayload, string]>([
    ["expired 30 seconds ago", { exp: noon - 30 }, "token has expired"],
    ["will be valid in 31 seconds", { nbf: noon + 31 }, "ERR_JWT_CLAIM_VALIDATION_FAILED nbf"],
    ["was issued 31 seconds ahead", { iat: noon + 31 }, "iat is in the future"],
  ])("refuses a token that %s", async (_, claims, reason) => {
    await expect(verified({ iat: noon, exp: noon + 300, ...claims }, now)).rejects.toMatchObject({
      refusal: { kind: "unauthorized", tokenSent: true, reason },
    });
  });

  async function verified(claims: JWTPayload, at: Date): Promise<JWTPayload> {
    const { issuer, publicJwk, token } = await newIssuer(undefined, "ES256");
    const keys = createLocalJWKSet({ keys: [{ kty: "EC", ...publicJwk }] });
    const rules = { issuers: [issuer], audience: undefined, keysOf: () => keys };
    return verifyToken(await token(claims), rules, at);
  }
});

describe("claims of another shape", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["exp is a string", { exp: "9999999999" }, "exp is missing"],
    ["exp is null", { exp: null }, "exp is missing"],
    ["nbf is a string", { nbf: "0" }, "ERR_JWT_CLAIM_VALIDATION_FAILED nbf"],
    ["iat is a string", { iat: "0" }, "ERR_JWT_CLAIM_VALIDATION_FAILED iat"],
    ["iss is a list", { iss: ["a"] }, "iss is not an issuer of this tenant"],
    ["iss is null", { iss: null }, "iss is not an issuer of this tenant"],
  ])("refuses a token where %s", async (_, claims, reason) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(await attempt(tenant, await token(claims)), reason);
  });

  it("never takes a list that holds the issuer for the issuer", async () => {
    const { tenant, issuer, token } = await newIssuer(undefined, "ES256");
    const listed = await token({ iss: [issuer] });
    await expectUnauthorized(await attempt(tenant, listed), "iss is not an issuer of this tenant");
  });
});

describe("AUDIENCE", () => {
  const demanded = { env: { AUDIENCE: "tenant-mail" } };

  it.each(["tenant-mail", ["account", "tenant-mail"]])("lets a token for %j pass", async (aud) => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectSaved(await attempt(tenant, await token({ aud }), demanded));
  });

  it.each(["account", "tenant-mail2", "tenant", "", [], ["account"]])(
    "refuses a token for %j",
    async (aud) => {
      const { tenant, token } = await newIssuer(undefined, "ES256");
      await expectUnauthorized(
        await attempt(tenant, await token({ aud }), demanded),
        "ERR_JWT_CLAIM_VALIDATION_FAILED aud",
      );
    },
  );

  it("refuses a token for nobody in particular", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    await expectUnauthorized(
      await attempt(tenant, await token(), demanded),
      "ERR_JWT_CLAIM_VALIDATION_FAILED aud",
    );
  });
});
