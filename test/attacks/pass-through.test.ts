import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { captureLogEntry } from "../support/log.ts";
import { requestsTo, setBehavior } from "../support/network.ts";
import { expectNotForwarded, origin } from "../support/origin.ts";

const on = { PASS_THROUGH: "true" };

/** Spellings of mail paths, by what makes a lenient origin read them as such. */
const SPELLINGS: Record<string, string> = {
  "matrix parameters": `
    /auth/realms/acme/mail;x=1/setup /auth/realms/acme/mail;/setup /auth/realms/acme/mail;x
    /auth;x/realms;y/acme/mail/setup /auth/realms/;x=1/acme/mail/setup /;x/digitanium/v4/mail
    /auth/realms/acme/mail%3Bx/setup /auth/realms/acme/mail%3bx=1 /auth/realms/acme/mail%253Bx=1/setup`,
  "merged slashes": `
    //auth/realms/acme/mail/setup /auth//realms/acme/mail/setup /auth/realms//acme/mail/setup
    /auth/realms/acme//mail/setup /auth/realms/acme///mail /digitanium//v4/mail/config`,
  "encoded slashes": `
    /auth%2Frealms/acme/mail/setup /auth/realms/acme%2Fmail /auth/realms/acme%2fmail%2fsetup
    /auth/realms/acme%252Fmail /auth/realms/acme%25252Fmail/setup /digitanium%2Fv4%2Fmail
    /auth/realms/acme%EF%BC%8Fmail`,
  backslashes: `
    /auth%5Crealms/acme/mail/setup /auth/realms%5cacme%5cmail%5csetup /auth/realms/acme%255Cmail
    /auth/realms/acme%EF%BC%BCmail`,
  "encoded letters": `
    /auth/realms/acme/%6Dail/setup /auth/realms/acme/%6d%61%69%6c /%61uth/realms/acme/mail/setup
    /auth/realms/acme/%256Dail/setup /auth/realms/acme/%25256Dail/setup /digitanium/v%34/mail`,
  "another case or width": `
    /AUTH/realms/acme/mail/setup /auth/Realms/acme/Mail/setup /digitanium/V4/mail/config
    /auth/realms/acme/%EF%BD%8Dail/setup /digitanium/v%EF%BC%94/mail`,
  "dot segments": `
    /auth/realms/acme/x%2F..%2Fmail/setup /auth/realms/acme/x/..%2Fmail /auth/realms/acme/x%5C..%5Cmail
    /auth/realms/acme/x/..;/mail/setup /auth/realms/acme/x/%252e%252e/mail/setup
    /auth/realms/acme/.%2Fmail/setup /x%2f..%2fauth/realms/acme/mail /auth/realms/..%2Fx/acme/..;/mail
    /auth/realms/acme%2Fmail%2F..%2Faccount /auth/realms/acme/x%2F%2F..%2Fmail`,
  "an encoded query or fragment": `
    /auth/realms/acme/mail%3Fx /auth/realms/acme/mail%23x/setup /auth/realms/acme/mail%253F/setup`,
  "characters that origins drop": `
    /auth/realms/acme/mail%00/setup /auth/realms/acme/mail%20/setup /auth/realms/acme/%09mail
    /auth/realms/acme/ma%E2%80%8Bil /auth/realms/acme/%EF%BB%BFmail /auth/realms/acme/mail%C2%A0
    /auth/realms/acme/mail%0D%0A/setup /auth/realms/acme/mail%ff/setup /digitanium/v4/m%C2%ADail`,
};

const spellings = Object.entries(SPELLINGS).flatMap(([kind, paths]) =>
  paths
    .trim()
    .split(/\s+/)
    .map((path) => [kind, path]),
);

describe("another spelling of a mail path, with PASS_THROUGH on", () => {
  it.each(spellings)("gets 404, and never reaches the origin, with %s: %s", async (_, path = "") => {
    const url = await origin(path);
    expect(new URL(url).pathname).toBe(path);
    await expectNotForwarded(url, on);
  });

  it("gets 404 if it is encoded more often than anybody means", async () => {
    const path = `/auth/realms/acme/%${"25".repeat(10)}6Dail/setup`;
    await expectNotForwarded(await origin(path), on);
  });

  it.each(["GET", "PUT", "DELETE", "OPTIONS"])("gets 404 for %s too", async (method) => {
    const url = await origin("/auth/realms/acme/mail;x=1/setup");
    expect((await call(url, { method, env: on })).status).toBe(404);
    expect(await requestsTo(url)).toEqual([]);
  });

  it("gets 404 at the base host with a port or a trailing dot", async () => {
    for (const host of ["example.com.", "example.com:8443"]) {
      const url = `https://${host}/auth/realms/acme//mail/setup?${crypto.randomUUID()}`;
      await setBehavior(url, { kind: "respond", body: "the origin" });
      await expectNotForwarded(url, on);
    }
  });

  it("is logged with its reason, without the path", async () => {
    const url = await origin("/auth/realms/acme/mail;token=secret/setup");
    const { entry, line } = await captureLogEntry(() => call(url, { env: on }));
    expect(entry).toMatchObject({ error: "not_found", reason: "another spelling of a mail path" });
    expect(line).not.toContain("secret");
  });

  it("gets 404 for random spellings", async () => {
    const property = fc.asyncProperty(disguised("/auth/realms/acme/mail/setup"), async (path) => {
      const url = `https://example.com${path}`;
      const response = await call(url, { body: { password: "app-password" }, env: on });
      expect([401, 404]).toContain(response.status);
      expect(await response.json()).toMatchObject({ subSystem: 8 });
    });
    await fc.assert(property, { numRuns: 200 });
  });
});

/** Spells each character of a path as itself, or encoded up to three times, and adds what origins drop. */
function disguised(path: string): fc.Arbitrary<string> {
  const characters = [...path].map((character) => {
    const encodings = [0, 1, 2, 3].map((depth) => encoded(character, depth));
    const fillers = character === "/" ? ["/", "/./", "/x/%2e%2e/", "%5C", ";a=b/", "//"] : [];
    return fc.constantFrom(...encodings, character.toUpperCase(), ...fillers);
  });
  return fc.tuple(...characters).map(([_, ...rest]) => `/${rest.join("")}`);
}

function encoded(character: string, depth: number): string {
  if (depth === 0) return character;
  return `%${"25".repeat(depth - 1)}${character.charCodeAt(0).toString(16)}`;
}
