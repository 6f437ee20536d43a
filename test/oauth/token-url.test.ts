import { describe, expect, it } from "vitest";
import { requestToken } from "../../src/oauth/token-request.ts";
import { isTokenUrlAllowed } from "../../src/oauth/token-url.ts";

const publicOnly = { allowPrivateHosts: false, hostname: "mail.example.org" };

const internalUrls = [
  "https://localhost/token",
  "https://localhost./token",
  "https://127.0.0.1/token",
  "https://2130706433/token",
  "https://0x7f.1:8443/token",
  "https://10.0.0.1/token",
  "https://169.254.169.254/latest/meta-data",
  "https://100.64.0.1/token",
  "https://[::1]/token",
  "https://[::ffff:127.0.0.1]/token",
  "https://[fd00::1]/token",
  "https://keycloak/token",
  "https://keycloak.internal/token",
  "https://keycloak.local/token",
  "https://mail.example.org/token",
  "https://MAIL.example.org./token",
  "https://acme.mail.example.org/token",
];

describe("isTokenUrlAllowed", () => {
  it.each([
    "https://login.microsoftonline.com/contoso/oauth2/v2.0/token",
    "https://oauth2.googleapis.com/token",
    "https://login.example.com:8443/token?a=b",
    "https://8.8.8.8/token",
    "https://login.example.org/token",
    "https://notmail.example.org/token",
    "https://[2001:4860:4860::8888]/token",
    "https://bücher.example/token",
  ])("accepts %s", (url) => {
    expect(isTokenUrlAllowed(url, publicOnly)).toBe(true);
  });

  it.each([...internalUrls, "http://login.example.com/token", "ftp://login.example.com/token"])(
    "rejects %s",
    (url) => {
      expect(isTokenUrlAllowed(url, publicOnly)).toBe(false);
    },
  );

  it("accepts private hosts for local work, over https only", () => {
    const policy = { allowPrivateHosts: true, hostname: "mail.example.org" };
    expect(isTokenUrlAllowed("https://localhost/token", policy)).toBe(true);
    expect(isTokenUrlAllowed("http://localhost/token", policy)).toBe(false);
  });
});

describe("requestToken", () => {
  it.each([...internalUrls, "http://login.example.com/token"])("sends nothing to %s", async (url) => {
    let requests = 0;
    const fetch = async () => {
      requests++;
      return Response.json({ access_token: "a-token", token_type: "Bearer" });
    };
    const result = await requestToken(
      {
        url,
        grantType: "client_credentials",
        clientId: "client-1",
        scope: undefined,
        credential: { clientSecret: "s3cret" },
        subject: "postmaster@example.com",
      },
      { ...publicOnly, fetch },
    );
    expect(result).toEqual({ ok: false, failure: { kind: "forbidden" } });
    expect(requests).toBe(0);
  });
});
