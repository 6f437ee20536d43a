import { describe, expect, it } from "vitest";
import { newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { document, expectDocumented } from "../support/documented.ts";
import { families } from "../support/families.ts";
import { newOAuthClient, tokenMailServer } from "../support/oauth/clients.ts";

const local = { ALLOW_PRIVATE_HOSTS: "true" };

describe("The document", () => {
  it("lists what authType and authTokenGrantType accept", () => {
    const grants = ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"];
    expect(document.components.schemas.Settings?.properties).toMatchObject({
      authType: { enum: ["basic", "token", "", null] },
      authTokenGrantType: { enum: [...grants, "", null] },
    });
  });
});

describe.each(families)(
  "Responses about tokens are documented, $family:",
  ({ family, address, testAddress }) => {
    async function newClient() {
      const ada = await newAdministrator(address);
      const oauth = await newOAuthClient();
      const { port } = await tokenMailServer();
      const settings = {
        host: "localhost",
        port,
        from: "sender@example.com",
        starttls: true,
        ...oauth.settings,
      };
      const send = (url: string, body?: object) => call(url, { token: ada.token, env: local, body });
      return { settings, url: address(ada.tenant), testUrl: testAddress(ada.tenant), send };
    }

    it("a save, and a read of all fields", async () => {
      const { url, send, settings } = await newClient();
      const saved = await send(url, { ...settings, authTokenGrantType: "client_credentials" });
      await expectDocumented(saved, `saveSettings_${family}`);
      const read = await send(url);
      expect(read.status).toBe(200);
      await expectDocumented(read, `readSettings_${family}`);
    });

    it.each([
      ["a test that succeeds", 200, {}],
      ["a token endpoint that rejects the client", 502, { authTokenClientSecret: "wrong" }],
      ["a mail server that rejects the token", 502, { authTokenScope: "other" }],
      ["a field that is missing", 400, { authTokenUrl: "" }],
    ])("%s", async (_, status, changes) => {
      const { testUrl, send, settings } = await newClient();
      const response = await send(testUrl, { to: "ada@example.com", settings: { ...settings, ...changes } });
      expect(response.status).toBe(status);
      await expectDocumented(response, `testSettings_${family}`);
    });
  },
);
