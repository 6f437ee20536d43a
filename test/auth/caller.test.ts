import { describe, expect, it } from "vitest";
import { CLAIM_MAX_CHARACTERS, callerName, callerOf } from "../../src/auth/caller.ts";

describe("callerOf", () => {
  it("reads sub, preferred_username, azp and email", () => {
    const claims = { sub: "1", preferred_username: "ada", azp: "admin-cli", email: "ada@example.com" };
    expect(callerOf(claims)).toMatchObject({
      subject: "1",
      username: "ada",
      client: "admin-cli",
      email: "ada@example.com",
    });
  });

  it.each([undefined, null, "", 7, ["ada"]])("ignores a claim that is %j", (preferred_username) => {
    expect(callerOf({ preferred_username }).username).toBeUndefined();
  });

  it("cuts a claim at the limit", () => {
    const sub = "x".repeat(CLAIM_MAX_CHARACTERS);
    expect(callerOf({ sub }).subject).toBe(sub);
    expect(callerOf({ sub: `${sub}y` }).subject).toBe(sub);
  });
});

describe("the application of a caller", () => {
  const iss = "https://id.example.com/auth/realms/acme";
  const long = "x".repeat(CLAIM_MAX_CHARACTERS);
  const applicationOf = (claims: Record<string, unknown>) => callerOf(claims).application;

  it.each<[string, Record<string, unknown>, string]>([
    ["azp", { iss, azp: "ci", sub: "1" }, `["${iss}","azp","ci"]`],
    ["sub, without azp", { iss, sub: "1" }, `["${iss}","sub","1"]`],
    ["sub, if azp is empty", { iss, azp: "", sub: "1" }, `["${iss}","sub","1"]`],
    ["neither, if there is none", { iss }, `["${iss}"]`],
  ])("is named by iss and %s", (_, claims, application) => {
    expect(applicationOf(claims)).toBe(application);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["of another issuer", { iss, azp: "ci" }, { iss: `${iss}2`, azp: "ci" }],
    ["named like a user", { iss, azp: "ci" }, { iss, sub: "ci" }],
    ["whose name begins alike", { iss, azp: long }, { iss, azp: `${long}y` }],
    ["with a name that imitates the form", { iss, azp: "ci" }, { iss: `${iss}","azp","ci` }],
  ])("differs from one %s", (_, claims, others) => {
    expect(applicationOf(others)).not.toBe(applicationOf(claims));
  });
});

describe("callerName", () => {
  it.each<[string, Record<string, unknown>]>([
    ["ada", { preferred_username: "ada", sub: "1", azp: "ci" }],
    ["1", { sub: "1", azp: "ci" }],
    ["ci", { azp: "ci" }],
    ["unknown", { email: "ada@example.com" }],
  ])("is %s", (name, claims) => {
    expect(callerName(callerOf(claims))).toBe(name);
  });
});
