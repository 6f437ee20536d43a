import { describe, expect, it } from "vitest";
import { CLAIM_MAX_CHARACTERS, callerOf } from "../../src/auth/caller.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { captureLogEntry } from "../support/log.ts";

const CLAIMS = { sub: "ada", azp: "mail-console", jti: "onrtac:0f6c9a1e" };

describe("the log line of a request", () => {
  it.each<[number, Record<string, unknown>]>([
    [404, {}],
    [403, { resource_access: {} }],
  ])("names subject, client and id of a verified token: %i", async (status, claims) => {
    const { tenant, token } = await newIssuer();
    const sent = await token({ ...CLAIMS, ...claims });
    const { entry } = await captureLogEntry(() => call(families[0].address(tenant), { token: sent }));
    expect(entry).toMatchObject({
      status,
      subject: "ada",
      client: "mail-console",
      tokenId: "onrtac:0f6c9a1e",
    });
  });

  it("names nothing of a token that is not verified", async () => {
    const [{ tenant, issuer }, stranger] = [await newIssuer(), await newIssuer()];
    const forged = await stranger.token({ ...CLAIMS, iss: issuer });
    const { line, entry } = await captureLogEntry(() => call(families[0].address(tenant), { token: forged }));
    expect(entry.status).toBe(401);
    expect(line).not.toMatch(/ada|mail-console|0f6c9a1e/);
  });
});

describe("callerOf", () => {
  it("reads jti, cut at the limit", () => {
    const jti = "x".repeat(CLAIM_MAX_CHARACTERS);
    expect(callerOf({ jti: `${jti}y` }).tokenId).toBe(jti);
    expect(callerOf({ jti: "" }).tokenId).toBeUndefined();
  });
});
