import { describe, expect, it } from "vitest";
import { newIssuer } from "../support/issuer.ts";
import { attemptSave, expectSaved, expectUnauthorized } from "../support/save-attempt.ts";

const NOT_DECLARED = "claim typ is missing, and header typ is not at+jwt";

describe("a token that is not declared an access token", () => {
  it.each([undefined, "JWT", "jwt"])(
    "is rejected without claim typ, as ID tokens are: header typ %j",
    async (typ) => {
      const { tenant, token, fetches } = await newIssuer();
      const idToken = await token({ typ: undefined, nonce: "n", at_hash: "h" }, { typ });
      await expectUnauthorized(await attemptSave(tenant, idToken), NOT_DECLARED);
      expect(await fetches()).toBe(0);
    },
  );

  it.each(["ID", "Refresh", "DPoP", "at+jwt", null])(
    "is rejected with claim typ %j, also with header typ at+jwt",
    async (typ) => {
      const { tenant, token } = await newIssuer();
      const sent = await token({ typ }, { typ: "at+jwt" });
      await expectUnauthorized(await attemptSave(tenant, sent), "claim typ is not Bearer");
    },
  );

  it.each<[unknown]>([["logout+jwt"], ["secevent+jwt"], [["at+jwt"]], [null]])(
    "is rejected with header typ %j, also with claim typ Bearer",
    async (typ) => {
      const { tenant, token } = await newIssuer();
      const sent = await token({}, { typ });
      await expectUnauthorized(await attemptSave(tenant, sent), "header typ is neither JWT nor at+jwt");
    },
  );
});

describe("an access token", () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["claim typ Bearer", { typ: "Bearer" }, { typ: undefined }],
    ["header typ at+jwt (RFC 9068)", { typ: undefined }, { typ: "at+jwt" }],
    ["header typ application/at+jwt", { typ: undefined }, { typ: "application/at+jwt" }],
    ["both", { typ: "Bearer" }, { typ: "AT+JWT" }],
  ])("is accepted with %s", async (_, claims, header) => {
    const { tenant, token } = await newIssuer();
    await expectSaved(await attemptSave(tenant, await token(claims, header)));
  });
});

describe("a sender-constrained token", () => {
  it.each<[string, unknown]>([
    ["a DPoP key (RFC 9449)", { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }],
    ["a certificate (RFC 8705)", { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }],
    ["an empty confirmation", {}],
    ["null", null],
  ])("is rejected as a plain bearer token: cnf with %s", async (_, cnf) => {
    const { tenant, token, fetches } = await newIssuer();
    await expectUnauthorized(await attemptSave(tenant, await token({ cnf })), "cnf is not supported");
    expect(await fetches()).toBe(0);
  });
});
