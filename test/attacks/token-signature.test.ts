import { describe, expect, it } from "vitest";
import { attempt, expectSaved, expectUnauthorized } from "../support/attempt.ts";
import { encoded, forged, hmacSigned, publicPem, withPart } from "../support/forge.ts";
import { administrator, newIssuer } from "../support/issuer.ts";
import { requestsTo, setBehaviour } from "../support/network.ts";

const WRONG_SIGNATURE = "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";

describe("algorithm confusion (RFC 8725 section 2.1)", () => {
  it("refuses HS256 with the issuer's public key in PEM as the secret", async () => {
    const { tenant, issuer, ...realm } = await newIssuer();
    const pem = await publicPem({ tenant, issuer, ...realm });
    const token = await hmacSigned({ alg: "HS256", kid: `${tenant}-1` }, administrator(issuer), pem);
    await expectUnauthorized(await attempt(tenant, token), "alg is not allowed");
  });

  it("refuses HS256 with the issuer's public JWK as the secret", async () => {
    const { tenant, issuer, publicJwk } = await newIssuer();
    const header = { alg: "HS256", kid: `${tenant}-1` };
    const token = await hmacSigned(header, administrator(issuer), JSON.stringify(publicJwk));
    await expectUnauthorized(await attempt(tenant, token), "alg is not allowed");
  });

  it("refuses HS256 even where the issuer publishes a symmetric key", async () => {
    const { tenant, issuer, serves } = await newIssuer();
    const shared = { kty: "oct", kid: `${tenant}-1`, alg: "HS256", k: "c2hhcmVkLXNlY3JldA" };
    await serves({ kind: "answer", body: JSON.stringify({ keys: [shared] }) });
    const token = await hmacSigned({ alg: "HS256" }, administrator(issuer), "shared-secret");
    await expectUnauthorized(await attempt(tenant, token), "alg is not allowed");
  });

  it.each(["none", "None", "NONE", "nOnE", "", "RS1", "rs256", "HS512", "A256KW", "dir"])(
    "refuses alg %j without a signature",
    async (alg) => {
      const { tenant, issuer } = await newIssuer();
      const token = forged({ alg, typ: "JWT" }, administrator(issuer));
      await expectUnauthorized(await attempt(tenant, token), "alg is not allowed");
    },
  );

  it.each([null, 256, true, {}])("refuses the alg %j, which is no string", async (alg) => {
    const { tenant, issuer } = await newIssuer();
    const token = forged({ alg }, administrator(issuer), "c2ln");
    await expectUnauthorized(await attempt(tenant, token), "alg is not allowed");
  });

  it("refuses a header without alg", async () => {
    const { tenant, issuer } = await newIssuer();
    const token = forged({ typ: "JWT" }, administrator(issuer), "c2ln");
    await expectUnauthorized(await attempt(tenant, token), "alg is not allowed");
  });

  it("refuses an RS256 token that calls itself PS256", async () => {
    const { tenant, token } = await newIssuer();
    const renamed = withPart(await token(), 0, encoded({ alg: "PS256", kid: `${tenant}-1` }));
    await expectUnauthorized(await attempt(tenant, renamed), "ERR_JWKS_NO_MATCHING_KEY");
  });
});

describe("signatures", () => {
  it("refuses an empty signature under an allowed algorithm", async () => {
    const { tenant, token } = await newIssuer();
    await expectUnauthorized(await attempt(tenant, withPart(await token(), 2, "")), WRONG_SIGNATURE);
  });

  it("refuses another token's signature", async () => {
    const { tenant, token } = await newIssuer();
    const [, , signature] = (await token({ jti: "other" })).split(".");
    const spliced = withPart(await token(), 2, signature ?? "");
    await expectUnauthorized(await attempt(tenant, spliced), WRONG_SIGNATURE);
  });

  it("refuses claims that were changed after signing", async () => {
    const { tenant, issuer, token } = await newIssuer();
    const weak = await token({ resource_access: {} });
    await expectUnauthorized(
      await attempt(tenant, withPart(weak, 1, encoded(administrator(issuer)))),
      WRONG_SIGNATURE,
    );
  });

  it("refuses a header that was changed after signing", async () => {
    const { tenant, token } = await newIssuer();
    const changed = withPart(await token(), 0, encoded({ alg: "RS256", kid: `${tenant}-1`, typ: "at+jwt" }));
    await expectUnauthorized(await attempt(tenant, changed), WRONG_SIGNATURE);
  });

  it("refuses a stranger's signature under the issuer's kid", async () => {
    const realm = await newIssuer();
    const stranger = await newIssuer();
    const token = await stranger.token({ iss: realm.issuer }, { kid: `${realm.tenant}-1` });
    await expectUnauthorized(await attempt(realm.tenant, token), WRONG_SIGNATURE);
  });
});

describe("keys that a header brings along", () => {
  it("ignores jwk", async () => {
    const realm = await newIssuer();
    const stranger = await newIssuer();
    const token = await stranger.token(
      { iss: realm.issuer },
      { kid: `${realm.tenant}-1`, jwk: stranger.publicJwk },
    );
    await expectUnauthorized(await attempt(realm.tenant, token), WRONG_SIGNATURE);
  });

  it.each(["jku", "x5u"])("never fetches %s", async (member) => {
    const realm = await newIssuer();
    const stranger = await newIssuer();
    const address = `https://attacker.test/${crypto.randomUUID()}`;
    await setBehaviour(address, { kind: "answer", body: JSON.stringify({ keys: [stranger.publicJwk] }) });
    const token = await stranger.token({ iss: realm.issuer }, { [member]: address });
    await expectUnauthorized(await attempt(realm.tenant, token), "ERR_JWKS_NO_MATCHING_KEY");
    expect(await requestsTo(address)).toEqual([]);
  });

  it("lets a token with jwk, jku and x5u pass if the issuer's own key has signed it", async () => {
    const realm = await newIssuer();
    const stranger = await newIssuer();
    const header = {
      jwk: stranger.publicJwk,
      jku: "https://attacker.test/a",
      x5u: "https://attacker.test/b",
    };
    await expectSaved(await attempt(realm.tenant, await realm.token({}, header)));
  });

  it("refuses crit, even for an extension that the library knows", async () => {
    const { tenant, token } = await newIssuer();
    const critical = await token({}, { crit: ["b64"], b64: true });
    await expectUnauthorized(await attempt(tenant, critical), "crit is not supported");
  });
});

describe("allowed algorithms", () => {
  it.each([
    ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
    ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
  ])("lets a token signed with %s pass", async (alg) => {
    const { tenant, token } = await newIssuer(undefined, alg);
    await expectSaved(await attempt(tenant, await token()));
  });
});
