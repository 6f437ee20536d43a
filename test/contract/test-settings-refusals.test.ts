import { beforeEach, describe, expect, it } from "vitest";
import { answer, tooLarge, unauthorized, wrongMediaType } from "../support/answers.ts";
import type { Call } from "../support/client.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { type OrderedServer, scriptedServer } from "../support/smtp/servers.ts";
import { newTester, type Tester } from "../support/smtp/tester.ts";

describe.each(families)("a test that is refused, $family,", (family) => {
  let tester: Tester;
  let server: OrderedServer;
  beforeEach(async () => {
    tester = await newTester(family);
    server = await scriptedServer([]);
    await tester.save(localSettings(server.port));
  });

  /** Asks for what has to be refused, and makes sure that nobody was dialled. */
  async function refusalOf(body: unknown, changes: Call) {
    const refusal = await tester.test(body, changes);
    expect((await server.findings()).connections).toBe(0);
    return refusal;
  }

  it("is a 401 for a bad token", async () => {
    expect(await refusalOf(undefined, { token: "x.y.z" })).toEqual(unauthorized);
  });

  it("is a 401 for the token of another tenant", async () => {
    const other = await newTester(family);
    expect(await refusalOf(undefined, { token: other.ada.token })).toEqual(unauthorized);
  });

  it("is a 403 for a token without the role", async () => {
    const token = await tester.ada.realm.token({ resource_access: {} });
    expect(await refusalOf(undefined, { token })).toEqual(
      answer(403, "FORBIDDEN", "The token needs one of these roles: manage-realm."),
    );
  });

  it("is a 403 over plain http", async () => {
    const response = await call(tester.testUrl.replace("https:", "http:"), {
      method: "POST",
      token: tester.ada.token,
    });
    expect(response.status).toBe(403);
    expect((await server.findings()).connections).toBe(0);
  });

  it.each(["GET", "PUT", "DELETE"])("is a 405 for %s", async (method) => {
    expect(await refusalOf(undefined, { method })).toEqual(
      answer(405, "METHOD_NOT_ALLOWED", "Use one of these methods: POST."),
    );
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", ""])(
    "is a 415 for a body of type %j",
    async (type) => {
      expect(await refusalOf("{}", { headers: { "Content-Type": type } })).toEqual(wrongMediaType);
    },
  );

  it("is a 413 for a body of more than 16 KiB", async () => {
    expect(await refusalOf("{}".padEnd(16 * 1024 + 1), {})).toEqual(tooLarge);
  });

  it("is a 400 for what is not JSON", async () => {
    expect(await refusalOf("{", {})).toEqual(answer(400, "BAD_REQUEST", "The body must be a JSON object."));
  });
});
