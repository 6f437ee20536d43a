import { describe, expect, it } from "vitest";
import { type CallOptions, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import {
  contentTooLarge,
  type JsonResponse,
  jsonResponse,
  unauthorized,
  unsupportedMediaType,
} from "../support/responses.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { newSmtpTestClient, type SmtpTestClient } from "../support/smtp/smtp-test-client.ts";

/** Requests a test of stored settings that must be rejected, and asserts that nobody connects. */
async function errorResponse(
  family: (typeof families)[number],
  body: unknown,
  optionsFor: (client: SmtpTestClient) => CallOptions | Promise<CallOptions> = () => ({}),
): Promise<JsonResponse> {
  const client = await newSmtpTestClient(family);
  const server = await scriptedServer([]);
  await client.save(localSettings(server.port));
  const response = await client.test(body, await optionsFor(client));
  expect((await server.state()).connections).toBe(0);
  return response;
}

describe.concurrent.each(families)("The test route, $family,", (family) => {
  it("responds 401 to a malformed token", async () => {
    expect(await errorResponse(family, undefined, () => ({ token: "x.y.z" }))).toEqual(unauthorized);
  });

  it("responds 401 to a token of another tenant", async () => {
    const other = await newSmtpTestClient(family);
    expect(await errorResponse(family, undefined, () => ({ token: other.ada.token }))).toEqual(unauthorized);
  });

  it("responds 403 over plain http", async () => {
    const client = await newSmtpTestClient(family);
    const server = await scriptedServer([]);
    await client.save(localSettings(server.port));
    const url = client.testUrl.replace("https:", "http:");
    expect((await call(url, { method: "POST", token: client.ada.token })).status).toBe(403);
    expect((await server.state()).connections).toBe(0);
  });

  it.each(["GET", "PUT", "DELETE"])("responds 405 to %s", async (method) => {
    expect(await errorResponse(family, undefined, () => ({ method }))).toEqual(
      jsonResponse(405, "METHOD_NOT_ALLOWED", "Use one of these methods: POST."),
    );
  });
});

describe.concurrent("The test route", () => {
  const [family] = families;

  it("responds 403 to a token without the role", async () => {
    const withoutRole = async ({ ada }: SmtpTestClient) => ({
      token: await ada.realm.token({ resource_access: {} }),
    });
    expect(await errorResponse(family, undefined, withoutRole)).toEqual(
      jsonResponse(403, "FORBIDDEN", "The token needs one of these roles: realm-management/manage-realm."),
    );
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", ""])(
    "responds 415 to a body of type %j",
    async (type) => {
      const withType = () => ({ headers: { "Content-Type": type } });
      expect(await errorResponse(family, "{}", withType)).toEqual(unsupportedMediaType);
    },
  );

  it("responds 413 to a body of more than 16 KiB", async () => {
    expect(await errorResponse(family, "{}".padEnd(16 * 1024 + 1))).toEqual(contentTooLarge);
  });

  it("responds 400 to a body that is not JSON", async () => {
    expect(await errorResponse(family, "{")).toEqual(
      jsonResponse(400, "BAD_REQUEST", "The body must be a JSON object."),
    );
  });
});
