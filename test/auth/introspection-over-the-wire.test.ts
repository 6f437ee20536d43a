import { env } from "cloudflare:workers";
import { jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { INTROSPECTION_MAX_TOKENS } from "../../src/auth/introspection.ts";
import { loadConfig } from "../../src/config.ts";
import { openRecord } from "../../src/settings/store.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import {
  activeToken,
  clientPublicKey,
  endpointOf,
  INTROSPECTION,
  introspections,
  lightweightToken,
  respondTo,
} from "../support/introspection.ts";
import { type Issuer, newIssuer } from "../support/issuer.ts";
import { requestsTo } from "../support/network.ts";
import { jsonResponse, readJson } from "../support/responses.ts";
import { attemptSave, expectSaved, expectUnauthorized, storedFor } from "../support/save-attempt.ts";

const [{ address }] = families;

describe("a lightweight token", () => {
  it("saves in the name that introspection returns, and appears so in the history", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer) });
    const token = await lightweightToken(issuer);
    await expectSaved(await attemptSave(issuer.tenant, token, { env: INTROSPECTION }));
    const { settingsKeys } = await loadConfig(env);
    const sealed = (await storedFor(issuer.tenant)) ?? "";
    expect(await openRecord(issuer.tenant, sealed, settingsKeys)).toMatchObject({ updatedBy: "ada" });
    const history = await call(`${address(issuer.tenant)}/history`, { token, env: INTROSPECTION });
    expect(await history.json()).toMatchObject({ entries: [{ by: { preferred_username: "ada" } }] });
  });

  it("is introspected once for several requests", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer) });
    const token = await lightweightToken(issuer);
    const requests = Array.from({ length: 5 }, () =>
      call(address(issuer.tenant), { token, env: INTROSPECTION }),
    );
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect(await introspections(issuer)).toBe(1);
  });

  it("is sent to its own issuer, with an assertion whose aud is that issuer (RFC 7523)", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer) });
    const token = await lightweightToken(issuer);
    await attemptSave(issuer.tenant, token, { env: INTROSPECTION });
    const [request] = await requestsTo(endpointOf(issuer));
    const form = Object.fromEntries(new URLSearchParams(request?.body));
    expect(form).toEqual({
      token,
      client_id: "tenant-mail",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: expect.any(String),
    });
    const { payload, protectedHeader } = await jwtVerify(form.client_assertion ?? "", clientPublicKey);
    expect(protectedHeader).toEqual({ alg: "ES256", kid: "client-1" });
    expect(payload).toMatchObject({ iss: "tenant-mail", sub: "tenant-mail", aud: issuer.issuer });
    expect(Number(payload.exp) - Number(payload.iat)).toBeLessThanOrEqual(60);
    expect(request?.headers.authorization).toBeUndefined();
  });

  it("is rejected if introspection does not return AUDIENCE", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer, { aud: "account" }) });
    const attempt = await attemptSave(issuer.tenant, await lightweightToken(issuer), { env: INTROSPECTION });
    await expectUnauthorized(attempt, "aud of the introspected token lacks AUDIENCE");
  });

  it("is rejected if it is inactive", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: { active: false } });
    const attempt = await attemptSave(issuer.tenant, await lightweightToken(issuer), { env: INTROSPECTION });
    await expectUnauthorized(attempt, "token is not active, or not for INTROSPECTION_CLIENT_ID");
  });

  it("gets 403 without advice on lightweight tokens if introspection returns no roles", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer, { resource_access: undefined }) });
    const { response } = await attemptSave(issuer.tenant, await lightweightToken(issuer), {
      env: INTROSPECTION,
    });
    const message = "The token needs one of these roles: realm-management/manage-realm.";
    expect(await readJson(response)).toEqual(jsonResponse(403, "FORBIDDEN", message));
  });

  it("gets 403 if introspection returns other roles", async () => {
    const issuer = await newIssuer();
    const resource_access = { "realm-management": { roles: ["manage-clients"] } };
    await respondTo(issuer, { json: activeToken(issuer, { resource_access }) });
    const { response } = await attemptSave(issuer.tenant, await lightweightToken(issuer), {
      env: INTROSPECTION,
    });
    expect(await readJson(response)).toEqual(
      jsonResponse(403, "FORBIDDEN", "The token needs one of these roles: realm-management/manage-realm."),
    );
    expect(await storedFor(issuer.tenant)).toBeNull();
  });

  it("gets 503 with Retry-After while the endpoint fails", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { kind: "respond", status: 500, body: "" });
    const { response, reason } = await attemptSave(issuer.tenant, await lightweightToken(issuer), {
      env: INTROSPECTION,
    });
    expect(response.headers.get("Retry-After")).toBe("5");
    const message = "The issuer's token introspection is unavailable. Try again in a few seconds.";
    expect(await readJson(response)).toEqual(jsonResponse(503, "SERVICE_UNAVAILABLE", message));
    expect(reason).toBe("the introspection endpoint responded 500");
    expect(await storedFor(issuer.tenant)).toBeNull();
  });

  it("does not follow a redirect of the endpoint", async () => {
    const [issuer, other] = [await newIssuer(), await newIssuer()];
    const headers = { Location: endpointOf(other) };
    await respondTo(issuer, { kind: "respond", status: 307, body: "", headers });
    const { response } = await attemptSave(issuer.tenant, await lightweightToken(issuer), {
      env: INTROSPECTION,
    });
    expect(response.status).toBe(503);
    expect(await introspections(other)).toBe(0);
  });
});

describe("introspection", () => {
  it("happens once for a token, in however many spellings", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer, { resource_access: undefined }) });
    const token = await lightweightToken(issuer);
    const [header = "", payload = "", signature = ""] = token.split(".");
    const spellings = [
      token,
      `${header}.${payload}\t.${signature}`,
      `${header}=.${payload}.${signature}`,
      // Spare bits: the last character of 64 bytes has four.
      `${header}.${payload}.${signature.slice(0, -1)}${String.fromCharCode(signature.charCodeAt(85) + 1)}`,
      `${header}.${payload}.${otherSignature(signature)}`,
    ];
    const statuses: number[] = [];
    for (const spelling of spellings) {
      statuses.push((await call(address(issuer.tenant), { token: spelling, env: INTROSPECTION })).status);
    }
    expect(statuses).toEqual([403, 401, 401, 401, 403]);
    expect(await introspections(issuer)).toBe(1);
  });

  it("keeps an administrator's answer, however many sessions without a role call", async () => {
    const issuer = await newIssuer();
    const read = (token: string) => call(address(issuer.tenant), { token, env: INTROSPECTION });
    await respondTo(issuer, { json: activeToken(issuer) });
    const administrator = await lightweightToken(issuer, { sid: "administrator" });
    expect((await read(administrator)).status).toBe(404);
    await respondTo(issuer, { json: activeToken(issuer, { resource_access: undefined }) });
    for (let index = 0; index <= INTROSPECTION_MAX_TOKENS; index++) {
      expect((await read(await lightweightToken(issuer, { sid: `stranger ${index}` }))).status).toBe(403);
    }
    const before = await introspections(issuer);
    expect((await read(administrator)).status).toBe(404);
    expect(await introspections(issuer)).toBe(before);
  });

  it.each<[string, (issuer: Issuer, other: Issuer) => Promise<string>]>([
    ["with roles", ({ token }) => token()],
    ["with the wrong role", ({ token }) => token({ resource_access: { account: { roles: ["x"] } } })],
    ["with realm roles only", ({ token }) => token({ resource_access: undefined, realm_access: {} })],
    ["that has expired", (issuer) => lightweightToken(issuer, { exp: 1 })],
    ["for another audience", (issuer) => lightweightToken(issuer, { aud: "other" })],
    ["signed by another key", ({ issuer }, other) => lightweightToken(other, { iss: issuer })],
  ])("does not happen for a token %s", async (_, tokenOf) => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer) });
    const token = await tokenOf(issuer, await newIssuer());
    await call(address(issuer.tenant), { token, env: INTROSPECTION });
    expect(await introspections(issuer)).toBe(0);
  });

  it.each([
    ["with the role", { "realm-management": { roles: ["manage-realm"] } }],
    ["with another role", { account: { roles: ["view-profile"] } }],
  ])("does not replace AUDIENCE for a token %s", async (_, resource_access) => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer) });
    const token = await issuer.token({ aud: undefined, resource_access });
    const attempt = await attemptSave(issuer.tenant, token, { env: INTROSPECTION });
    await expectUnauthorized(attempt, "ERR_JWT_CLAIM_VALIDATION_FAILED aud");
    expect(await introspections(issuer)).toBe(0);
  });

  it("is off by default: a lightweight token is not for AUDIENCE", async () => {
    const issuer = await newIssuer();
    await respondTo(issuer, { json: activeToken(issuer) });
    const attempt = await attemptSave(issuer.tenant, await lightweightToken(issuer));
    await expectUnauthorized(attempt, "ERR_JWT_CLAIM_VALIDATION_FAILED aud");
    expect(await introspections(issuer)).toBe(0);
  });
});

describe("a token without any role claim", () => {
  it("gets 403 that says so, and what to do", async () => {
    const issuer = await newIssuer();
    const token = await lightweightToken(issuer, { aud: "tenant-mail" });
    const { response } = await attemptSave(issuer.tenant, token);
    const message =
      "The token contains no roles, and needs one of these: realm-management/manage-realm. Lightweight access " +
      "tokens, such as those of admin-cli and the admin console, have none: use a token of another client.";
    expect(await readJson(response)).toEqual(jsonResponse(403, "FORBIDDEN", message));
    expect(await storedFor(issuer.tenant)).toBeNull();
  });
});

/** The other valid form of an ECDSA signature over P-256: the negated s, by the order n of the curve. */
function otherSignature(signature: string): string {
  const bytes = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const negated = (n - BigInt(`0x${bytes.slice(32).toHex()}`)).toString(16).padStart(64, "0");
  bytes.set(Uint8Array.fromHex(negated), 32);
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
