import { describe, expect, it, vi } from "vitest";
import { newAdministrator, seen } from "../support/administrator.ts";
import { answer } from "../support/answers.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer, newTenant } from "../support/issuer.ts";
import { setBehaviour } from "../support/network.ts";
import { logged, withLog } from "../support/request-lines.ts";
import { sampleSettings } from "../support/samples.ts";

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const routes = { SSMS: "/digitanium/v4/mail/config", SHIFT: "/auth/realms/:tenantId/mail/setup" };

describe.each(families)("the line of a request ($family)", ({ family, address }) => {
  it("has exactly these members after a success", async () => {
    const ada = await newAdministrator(address);
    const { response, entry } = await logged(() => ada.send({ body: sampleSettings }));
    expect(response.status).toBe(200);
    expect(entry).toEqual({
      message: "request",
      requestId: response.headers.get("X-Request-Id"),
      tenant: ada.tenant,
      family,
      method: "POST",
      route: routes[family],
      status: 200,
      milliseconds: expect.any(Number),
      subject: "7b7a3f0e-0000-4000-8000-000000000001",
    });
  });

  it("has the reason of a refusal besides", async () => {
    const tenant = newTenant();
    const { response, entry } = await logged(() => call(address(tenant)));
    expect(entry).toEqual({
      message: "request",
      requestId: response.headers.get("X-Request-Id"),
      tenant,
      family,
      method: "GET",
      route: routes[family],
      status: 401,
      milliseconds: expect.any(Number),
      refusal: "unauthorized",
      reason: "no bearer token",
    });
  });

  it("has the subject of a caller who lacks the role", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const weak = await token({ resource_access: {}, sub: "someone" });
    const { entry } = await logged(() => call(address(tenant), { token: weak }));
    expect(entry).toMatchObject({ status: 403, refusal: "role_missing", subject: "someone" });
  });

  it("has no subject where the token did not pass", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const expired = await token({ exp: 1, sub: "forged" });
    const { line } = await logged(() => call(address(tenant), { token: expired }));
    expect(line).not.toContain("forged");
  });
});

describe("the line of any request", () => {
  it.each<[string, string, number]>([
    ["an unknown path", "https://acme.example.com/some/secret-path?token=secret-query", 404],
    ["another host", "https://secret-host.example.org/", 404],
    ["a path that is no tenant", "https://example.com/auth/realms/SECRET/mail/setup", 404],
    ["plain http", "http://example.com/secret-path", 403],
  ])("is one, without path, query or host: %s", async (_, url, status) => {
    const { line, entry } = await logged(() => call(url));
    expect(entry).toMatchObject({ message: "request", status });
    expect(line).not.toMatch(/secret|SECRET/);
  });

  it("is one where the origin answers, with the origin's status and without the path", async () => {
    const url = "https://example.com/auth/realms/acme/login-actions/secret-code";
    await setBehaviour(url, { kind: "answer", status: 418, body: "tea" });
    const { line, entry } = await logged(() => call(url, { env: { PASS_THROUGH: "true" } }));
    expect(entry).toMatchObject({ status: 418, method: "GET", requestId: expect.stringMatching(UUID) });
    expect(line).not.toContain("secret-code");
  });

  it("is written while the configuration is malformed", async () => {
    const { entry } = await logged(() => call(families[0].address("acme"), { env: { SETTINGS_KEYS: "" } }));
    expect(entry).toMatchObject({ status: 503, refusal: "misconfigured" });
  });

  it("has an id of its own, which the caller cannot choose", async () => {
    const headers = { "X-Request-Id": "chosen\u0020by-caller", "CF-Ray": "chosen" };
    const send = () => logged(() => call(families[0].address("acme"), { headers }));
    const [first, second] = [await send(), await send()];
    expect(first.entry.requestId).toMatch(UUID);
    expect(first.entry.requestId).not.toBe(second.entry.requestId);
    expect(first.response.headers.get("X-Request-Id")).toBe(first.entry.requestId);
  });
});

describe("what no line has", () => {
  it("is a token, a password or a body, through a whole session", async () => {
    const ada = await newAdministrator(families[1].address);
    const weak = await ada.realm.token({ resource_access: {} });
    const { result, lines } = await withLog(async () => [
      await ada.send({ body: sampleSettings }),
      await ada.send(),
      await ada.send({ body: { ...sampleSettings, password: "**********" } }),
      await ada.send({ body: { ...sampleSettings, host: "mail.secret.test", password: "**********" } }),
      await ada.send({ body: { ...sampleSettings, passwort: "typo-password" } }),
      await ada.send({ body: '{"password":"cut-off-password' }),
      await ada.send({ body: "x".repeat(20_000) }),
      await ada.send({ token: weak, body: sampleSettings }),
      await ada.send({ token: `${ada.token}x` }),
      await ada.send({ method: "DELETE" }),
    ]);
    expect(lines).toHaveLength(result.length);
    const log = lines.join("\n");
    for (const token of [ada.token, weak])
      for (const part of token.split(".")) expect(log).not.toContain(part);
    expect(log).not.toMatch(/password|smtp\.gmail|mail\.secret|sender@|reply@|Receiver|xxxx|\*\*\*/);
  });

  it("is an Authorization header of another scheme", async () => {
    const headers = { Authorization: "Basic YWRhOnNlY3JldA==" };
    const { line } = await logged(() => call(families[0].address("acme"), { headers }));
    expect(line).not.toMatch(/Basic|YWRhOnNlY3JldA/);
  });

  it("is a line of its own making: a subject with line breaks stays in one line", async () => {
    const { tenant, token } = await newIssuer(undefined, "ES256");
    const sub = 'x\n{"message":"request","status":200}';
    const { line, entry } = await logged(async () =>
      call(families[0].address(tenant), { token: await token({ sub }) }),
    );
    expect(line).not.toContain("\n");
    expect(entry.subject).toBe(sub);
  });
});

describe("an unforeseen error", () => {
  const wentWrong = answer(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side.");

  it("is answered by fixed text, and logged by name and frames, without its message", async () => {
    const ada = await newAdministrator(families[0].address);
    const broken = new ReadableStream({
      start: (controller) => controller.error(new RangeError("the-secret in a message")),
    });
    const { response, line, entry } = await logged(() => ada.send({ method: "POST", body: broken, env: {} }));
    expect(response.headers.get("X-Request-Id")).toBe(entry.requestId);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await seen(response)).toEqual(wentWrong);
    expect(entry).toMatchObject({ status: 500, error: "RangeError", frames: expect.any(Array) });
    expect(line).not.toContain("the-secret");
    expect(await ada.sealed()).toBeNull();
  });

  it("with a message of several lines shows none of them", async () => {
    const ada = await newAdministrator(families[0].address);
    const message = "first\nthe-secret second\n    at the-secret third";
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error(message)) });
    const { line } = await logged(() => ada.send({ method: "POST", body: broken, env: {} }));
    expect(line).not.toContain("the-secret");
  });

  it("goes to the error log, and a caller's mistake does not", async () => {
    const ada = await newAdministrator(families[0].address);
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const info = vi.spyOn(console, "info").mockImplementation(() => {});
    await ada.send({ token: "rubbish" });
    expect([info.mock.calls.length, error.mock.calls.length]).toEqual([1, 0]);
    await ada.send({ env: { SETTINGS_KEYS: "" } });
    expect([info.mock.calls.length, error.mock.calls.length]).toEqual([1, 1]);
    vi.restoreAllMocks();
  });

  it("is not what a missing KV binding makes: that is a misconfiguration", async () => {
    const ada = await newAdministrator(families[0].address);
    const SMTP_SETTINGS = undefined as unknown as KVNamespace;
    const { response, entry } = await logged(() => ada.send({ env: { SMTP_SETTINGS } }));
    expect(entry).toMatchObject({ status: 503, refusal: "misconfigured" });
    expect(await response.json()).toMatchObject({ status: "SERVICE_UNAVAILABLE", subSystem: 8 });
  });
});
