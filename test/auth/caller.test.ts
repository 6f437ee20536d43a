import { describe, expect, it } from "vitest";
import { CLAIM_MAX_CHARACTERS, callerName, callerOf } from "../../src/auth/caller.ts";

describe("callerOf", () => {
  it("reads sub, preferred_username, azp and email", () => {
    const claims = { sub: "1", preferred_username: "ada", azp: "admin-cli", email: "ada@example.com" };
    expect(callerOf(claims)).toEqual({
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
