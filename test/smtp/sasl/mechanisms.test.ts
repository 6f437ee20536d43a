import { describe, expect, it } from "vitest";
import { cramMd5 } from "../../../src/smtp/sasl/cram-md5.ts";
import { login } from "../../../src/smtp/sasl/login.ts";
import { oauthBearer, xoauth2 } from "../../../src/smtp/sasl/oauth.ts";
import { plain } from "../../../src/smtp/sasl/plain.ts";

const credentials = { user: "jörg", password: "pässwörd" };
const tokenCredentials = { host: "smtp.example.net", port: 587, user: "a=b,c", token: "the-token" };
const challenge = (text: string) => Buffer.from(text, "utf8");

describe("PLAIN", () => {
  it("begins with user and password (RFC 4616 section 2)", () => {
    expect(plain(credentials)).toMatchObject({ name: "PLAIN", initialResponse: "\0jörg\0pässwörd" });
  });

  it("answers no challenge", () => {
    expect(plain(credentials).next(challenge(""))).toBeUndefined();
  });

  it("names the password as secret, alone and as it is sent", () => {
    expect(plain(credentials).secrets).toEqual(["\0jörg\0pässwörd", "pässwörd"]);
  });
});

describe("LOGIN", () => {
  it.each([
    ["as most servers word them", challenge("Username:"), challenge("Password:")],
    ["in other words", challenge("User Name\0"), challenge("")],
    ["that are not base64", undefined, undefined],
  ])("answers two prompts %s, and no third", (_, first, second) => {
    const mechanism = login(credentials);
    expect(mechanism).not.toHaveProperty("initialResponse");
    expect([first, second, first].map(mechanism.next)).toEqual(["jörg", "pässwörd", undefined]);
  });
});

describe("CRAM-MD5", () => {
  const tim = { user: "tim", password: "tanstaaftanstaaf" };
  const postOffice = challenge("<1896.697170952@postoffice.reston.mci.net>");

  it("answers the challenge of the example in RFC 2195 section 2", () => {
    const mechanism = cramMd5(tim);
    expect(mechanism.next(postOffice)).toBe("tim b913a602c7eda7a495b4e6e7334d3890");
  });

  it("names the digest as secret, too", () => {
    const mechanism = cramMd5(tim);
    expect(mechanism.secrets).toEqual(["tanstaaftanstaaf"]);
    mechanism.next(postOffice);
    expect(mechanism.secrets).toContain("b913a602c7eda7a495b4e6e7334d3890");
    expect(mechanism.secrets).toContain("tim b913a602c7eda7a495b4e6e7334d3890");
  });

  it.each([
    ["an empty one", challenge("")],
    ["one that is not base64", undefined],
  ])("answers no challenge but the first: not %s", (_, invalid) => {
    expect(cramMd5(tim).next(invalid)).toBeUndefined();
  });

  it("answers one challenge only", () => {
    const mechanism = cramMd5(tim);
    mechanism.next(postOffice);
    expect(mechanism.next(postOffice)).toBeUndefined();
  });
});

describe.each([
  ["XOAUTH2", xoauth2, "user=a=b,c\x01auth=Bearer the-token\x01\x01", ""],
  [
    "OAUTHBEARER",
    oauthBearer,
    "n,a=a=3Db=2Cc,\x01host=smtp.example.net\x01port=587\x01auth=Bearer the-token\x01\x01",
    "\x01",
  ],
])("%s", (name, create, initialResponse, acknowledgment) => {
  it("begins with the token", () => {
    expect(create(tokenCredentials)).toMatchObject({ name, initialResponse });
  });

  it("acknowledges one error of the server, whatever it holds", () => {
    for (const error of [challenge('{"status":"401"}'), challenge(""), undefined]) {
      expect([error, error].map(create(tokenCredentials).next)).toEqual([acknowledgment, undefined]);
    }
  });

  it("names the token as secret, alone and as it is sent", () => {
    expect(create(tokenCredentials).secrets).toEqual([initialResponse, "the-token"]);
  });
});
