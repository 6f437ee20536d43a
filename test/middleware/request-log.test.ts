import { afterEach, describe, expect, it, vi } from "vitest";
import { newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer, newTenant } from "../support/issuer.ts";
import { captureLog, captureLogEntry } from "../support/log.ts";
import { setBehavior } from "../support/network.ts";
import { internalError, readJson } from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const routes = { SSMS: "/digitanium/v4/mail/config", SHIFT: "/auth/realms/:tenantId/mail/setup" };
const [{ address: ssms }, { address: shift }] = families;

describe.each(families)("the log entry of a request ($family)", ({ family, address }) => {
  it("has exactly these members after a success", async () => {
    const ada = await newAdministrator(address);
    const { response, entry } = await captureLogEntry(() => ada.send({ body: sampleSettings }));
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
      client: "admin-cli",
    });
  });

  it("has exactly these members after an error", async () => {
    const tenant = newTenant();
    const { response, entry } = await captureLogEntry(() => call(address(tenant)));
    expect(entry).toEqual({
      message: "request",
      requestId: response.headers.get("X-Request-Id"),
      tenant,
      family,
      method: "GET",
      route: routes[family],
      status: 401,
      milliseconds: expect.any(Number),
      error: "unauthorized",
      reason: "no bearer token",
    });
  });

  // test/http/trace-context.test.ts holds the table of values.
  it("has the traceparent of its caller, if that is valid", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const logged = async (traceparent: string) =>
      (await captureLogEntry(() => call(address(newTenant()), { headers: { traceparent } }))).entry
        .traceparent;
    expect(await logged(traceparent)).toBe(traceparent);
    expect(await logged(`${traceparent}-secret`)).toBeUndefined();
  });

  it("has the subject of a caller who lacks the role", async () => {
    const { tenant, token } = await newIssuer();
    const weak = await token({ resource_access: {}, sub: "someone" });
    const { entry } = await captureLogEntry(() => call(address(tenant), { token: weak }));
    expect(entry).toMatchObject({ status: 403, error: "role_missing", subject: "someone" });
  });

  it("has no subject of an invalid token", async () => {
    const { tenant, token } = await newIssuer();
    const expired = await token({ exp: 1, sub: "forged" });
    const { line, entry } = await captureLogEntry(() => call(address(tenant), { token: expired }));
    expect(entry).toMatchObject({ status: 401, error: "unauthorized" });
    expect(line).not.toContain("forged");
  });
});

describe("the log entry of any request", () => {
  it.each<[string, string, number]>([
    ["an unknown path", "https://acme.example.com/some/secret-path?token=secret-query", 404],
    ["another host", "https://secret-host.example.org/", 404],
    ["an invalid tenant id", "https://example.com/auth/realms/SECRET~/mail/setup", 404],
    ["plain http", "http://example.com/secret-path", 403],
  ])("omits path, query and host: %s", async (_, url, status) => {
    const { line, entry } = await captureLogEntry(() => call(url));
    expect(entry).toMatchObject({ message: "request", status });
    expect(line).not.toMatch(/secret/i);
  });

  it("has the origin's status, without the path", async () => {
    const url = "https://example.com/auth/realms/acme/login-actions/secret-code";
    await setBehavior(url, { kind: "respond", status: 418, body: "tea" });
    const { line, entry } = await captureLogEntry(() => call(url, { env: { PASS_THROUGH: "true" } }));
    expect(entry).toMatchObject({ status: 418, method: "GET", requestId: expect.stringMatching(UUID) });
    expect(line).not.toContain("secret-code");
  });

  it("is written even if the configuration is invalid", async () => {
    const { entry } = await captureLogEntry(() => call(ssms("acme"), { env: { SETTINGS_KEYS: "" } }));
    expect(entry).toMatchObject({ status: 503, error: "misconfigured" });
  });

  it("reports a missing KV binding as a misconfiguration", async () => {
    const ada = await newAdministrator(ssms);
    const SMTP_SETTINGS = undefined as unknown as KVNamespace;
    const { response, entry } = await captureLogEntry(() => ada.send({ env: { SMTP_SETTINGS } }));
    expect(entry).toMatchObject({ status: 503, error: "misconfigured" });
    expect(await response.json()).toMatchObject({ status: "SERVICE_UNAVAILABLE", subSystem: 8 });
  });

  it("has its own id, which the caller cannot choose", async () => {
    const headers = { "X-Request-Id": "chosen\u0020by-caller", "CF-Ray": "chosen" };
    const send = () => captureLogEntry(() => call(ssms("acme"), { headers }));
    const [first, second] = [await send(), await send()];
    expect(first.entry.requestId).toMatch(UUID);
    expect(first.entry.requestId).not.toBe(second.entry.requestId);
    expect(first.response.headers.get("X-Request-Id")).toBe(first.entry.requestId);
  });

  it("never has a token, a password or a body", async () => {
    const ada = await newAdministrator(shift);
    const weak = await ada.realm.token({ resource_access: {} });
    const { result, lines } = await captureLog(async () => [
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
    expect(result.map(({ status }) => status)).toEqual([200, 200, 200, 400, 400, 400, 413, 403, 401, 200]);
    expect(lines).toHaveLength(result.length);
    const log = lines.join("\n");
    const parts = [ada.token, weak].flatMap((token) => token.split("."));
    expect(parts.filter((part) => log.includes(part))).toEqual([]);
    expect(log).not.toMatch(/password|smtp\.gmail|mail\.secret|sender@|reply@|Receiver|xxxx|\*\*\*/);
  });

  it("never has credentials of another scheme", async () => {
    const headers = { Authorization: "Basic YWRhOnNlY3JldA==" };
    const { line, entry } = await captureLogEntry(() => call(ssms("acme"), { headers }));
    expect(entry).toMatchObject({ status: 401, error: "unauthorized" });
    expect(line).not.toMatch(/Basic|YWRhOnNlY3JldA/);
  });

  it("stays one line for a subject with line breaks", async () => {
    const { tenant, token } = await newIssuer();
    const sub = 'x\n{"message":"request","status":200}';
    const { line, entry } = await captureLogEntry(async () =>
      call(ssms(tenant), { token: await token({ sub }) }),
    );
    expect(line).not.toContain("\n");
    expect(entry.subject).toBe(sub);
  });
});

describe("an unexpected error", () => {
  /** A body that fails while the Worker reads it. */
  function failingBody(error: Error): ReadableStream {
    return new ReadableStream({ start: (controller) => controller.error(error) });
  }

  it("gets a fixed response, and is logged by name and frames, without its message", async () => {
    const ada = await newAdministrator(ssms);
    const body = failingBody(new RangeError("the-secret in a message"));
    const { response, line, entry } = await captureLogEntry(() => ada.send({ body, env: {} }));
    expect(response.headers.get("X-Request-Id")).toBe(entry.requestId);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await readJson(response)).toEqual(internalError);
    expect(entry).toMatchObject({
      status: 500,
      error: "internal",
      exception: "RangeError",
      frames: expect.any(Array),
    });
    expect(line).not.toContain("the-secret");
    expect(await ada.sealed()).toBeNull();
  });

  it("is logged without any line of a message of several lines", async () => {
    const ada = await newAdministrator(ssms);
    const body = failingBody(new Error("first\nthe-secret second\n    at the-secret third"));
    const { line, entry } = await captureLogEntry(() => ada.send({ body, env: {} }));
    expect(entry).toMatchObject({ status: 500, error: "internal" });
    expect(line).not.toContain("the-secret");
  });
});

describe("the log level", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ["info", "a caller's mistake", { token: "rubbish" }],
    ["error", "a fault of the service", { env: { SETTINGS_KEYS: "" } }],
  ])("is %s for %s", async (level, _, options) => {
    const ada = await newAdministrator(ssms);
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const info = vi.spyOn(console, "info").mockImplementation(() => {});
    await ada.send(options);
    expect({ info: info.mock.calls.length, error: error.mock.calls.length }).toEqual({
      info: level === "info" ? 1 : 0,
      error: level === "error" ? 1 : 0,
    });
  });
});
