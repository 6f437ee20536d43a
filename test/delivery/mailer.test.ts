import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Mailer, type MailerProps } from "../../src/delivery/mailer.ts";
import { MAX_WAITING_MESSAGES } from "../../src/delivery/usage.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { captureLog } from "../support/log.ts";
import { aMail, newOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

const FORBIDDEN = "The props of the service binding do not allow this tenant.";

const containsItself: Record<string, unknown> = { ...aMail };
containsItself.headers = containsItself;

/** The entrypoint over a service binding, as a Worker of the same account sees it. */
function bindingWith(props: Partial<MailerProps>) {
  return exports.Mailer({ props });
}

/** The entrypoint without RPC, which reports each error a second time, on standard error. */
function mailerWith(props: object): Mailer {
  return new Mailer(Object.assign(createExecutionContext(), { props }), env);
}

/** The message of a call that must fail. `rejects` would leave the promise of the call itself unhandled. */
function rejection(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "accepted",
    ({ message }: Error) => message,
  );
}

/** A tenant with an outbox, and the entrypoint for a service that may send for it. */
async function newService(server?: { port: number }) {
  const outbox = await newOutbox(server);
  const mailer = bindingWith({ service: "login", tenants: [outbox.tenant] });
  return { outbox, mailer, tenant: outbox.tenant };
}

describe("Mailer.send", () => {
  it("accepts a mail before any server is contacted, and logs who sent it", async () => {
    const server = await mailServer();
    const { outbox, mailer, tenant } = await newService(server);
    const { result, lines } = await captureLog(async () => mailer.send(tenant, aMail));
    expect(result).toEqual({ ok: true, id: expect.any(String), state: "queued", replayed: false });
    const [row] = await outbox.database.query<{ id: string }>("SELECT id FROM mail");
    expect(row).toEqual({ id: result.ok ? result.id : "" });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "mailer", service: "login", tenant, id: row?.id, replayed: false },
    ]);
    expect((await server.state()).connections).toBe(0);
    await outbox.runAlarm();
    expect((await server.state()).messages).toMatchObject([{ rcptTo: [aMail.to] }]);
  });

  it("repeats its result for a known key, and rejects the key of another mail", async () => {
    const { outbox, mailer, tenant } = await newService(await mailServer());
    const first = await mailer.send(tenant, aMail, { idempotencyKey: "login-4711" });
    await outbox.runAlarm();
    expect(await mailer.send(tenant, aMail, { idempotencyKey: "login-4711" })).toEqual({
      ok: true,
      id: first.ok ? first.id : "",
      state: "sent",
      replayed: true,
    });
    expect(await mailer.send(tenant, { ...aMail, text: "x" }, { idempotencyKey: "login-4711" })).toEqual({
      ok: false,
      error: "idempotency_key_reused",
      message: expect.any(String),
    });
    expect(await outbox.states()).toEqual(["sent"]);
  });

  it("takes a key with or without quotes", async () => {
    const { mailer, tenant } = await newService(await mailServer());
    const first = await mailer.send(tenant, aMail, { idempotencyKey: "login-4711" });
    expect(await mailer.send(tenant, aMail, { idempotencyKey: '"login-4711"' })).toEqual({
      ...first,
      replayed: true,
    });
  });

  it("has keys of its own, whatever applications and other services use", async () => {
    const { outbox, mailer, tenant } = await newService(await mailServer());
    const other = bindingWith({ service: "newsletter", tenants: [tenant] });
    await outbox.submit({ text: "x" }, "login-4711");
    await other.send(tenant, { ...aMail, text: "y" }, { idempotencyKey: "login-4711" });
    expect(await mailer.send(tenant, aMail, { idempotencyKey: "login-4711" })).toMatchObject({
      ok: true,
      replayed: false,
    });
  });

  it.each([
    ["an invalid field", { ...aMail, to: "ada" }, {}, "to"],
    ["an unknown field", { ...aMail, from: "eve@example.com" }, {}, "from"],
    ["no mail", undefined, {}, "body"],
    ["a batch", [aMail], {}, "body"],
    ["a number that JSON lacks", { ...aMail, expiresIn: 600n }, {}, "body"],
    ["a mail that contains itself", containsItself, {}, "body"],
    ["an invalid key", aMail, { idempotencyKey: "" }, "idempotencyKey"],
    ["a key that is null", aMail, { idempotencyKey: null }, "idempotencyKey"],
    ["a key that is a number", aMail, { idempotencyKey: 4711 }, "idempotencyKey"],
    ["a key that is a list", aMail, { idempotencyKey: ["login-4711"] }, "idempotencyKey"],
    ["null as options", aMail, null, "options"],
    ["a key in place of options", aMail, "login-4711", "options"],
  ])("reports %s as a value, and stores nothing", async (_, mail, options, field) => {
    const { outbox, mailer, tenant } = await newService(await mailServer());
    const { result, lines } = await captureLog(async () =>
      mailer.send(tenant, mail as typeof aMail, options as object),
    );
    expect(result).toMatchObject({ ok: false, error: "invalid_fields", errors: [{ field }] });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "mailer", service: "login", tenant, error: "invalid_fields" },
    ]);
    expect(await outbox.database.tables()).toEqual([]);
  });

  it("reports a mail of more than 1 MiB, which HTTP would reject as well", async () => {
    const { outbox, mailer, tenant } = await newService(await mailServer());
    expect(await mailer.send(tenant, { ...aMail, text: "x".repeat(1024 * 1024) })).toMatchObject({
      ok: false,
      error: "content_too_large",
    });
    expect(await outbox.database.tables()).toEqual([]);
  });

  it("reports a tenant without settings, and a full outbox", async () => {
    const server = await mailServer();
    const [without, full] = [await newService(), await newService(server)];
    expect(await without.mailer.send(without.tenant, aMail)).toMatchObject({
      ok: false,
      error: "nothing_stored",
    });
    await full.outbox.submit();
    await full.outbox.database.multiply(MAX_WAITING_MESSAGES - 1);
    await full.outbox.evict();
    expect(await full.mailer.send(full.tenant, aMail)).toMatchObject({ ok: false, error: "outbox_full" });
  });

  it("reports unreadable settings without a detail, and logs the reason", async () => {
    const { outbox, mailer, tenant } = await newService(await mailServer());
    await outbox.storeRaw("broken");
    const { result, lines } = await captureLog(async () => mailer.send(tenant, aMail));
    expect(result).toEqual({
      ok: false,
      error: "record_unreadable",
      message: "Something went wrong on our side.",
    });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "mailer", service: "login", tenant, error: "record_unreadable", reason: expect.any(String) },
    ]);
  });
});

describe("Mailer.status", () => {
  it("reports the state of a mail, or that there is none", async () => {
    const { outbox, mailer, tenant } = await newService(await mailServer());
    const sent = await mailer.send(tenant, aMail);
    const id = sent.ok ? sent.id : "";
    await outbox.runAlarm();
    expect(await mailer.status(tenant, id)).toEqual(await outbox.status(id));
    expect(await mailer.status(tenant, "unknown")).toBeUndefined();
  });

  it("reports nothing of what others have sent", async () => {
    const { outbox, mailer, tenant } = await newService(await mailServer());
    const other = await bindingWith({ service: "newsletter", tenants: [tenant] }).send(tenant, aMail);
    for (const id of [await outbox.submit(), other.ok ? other.id : ""]) {
      expect(await mailer.status(tenant, id)).toBeUndefined();
    }
  });
});

describe("the props of a binding", () => {
  it("allow the tenants that they name, or all", async () => {
    const server = await mailServer();
    const [acme, globex] = [await newOutbox(server), await newOutbox(server)];
    const both = bindingWith({ service: "login", tenants: [acme.tenant, globex.tenant] });
    const all = bindingWith({ service: "login", tenants: "*" });
    for (const { tenant } of [acme, globex]) {
      for (const mailer of [both, all]) expect(await mailer.send(tenant, aMail)).toMatchObject({ ok: true });
    }
  });

  it("reject every call over a binding without props", async () => {
    const outbox = await newOutbox(await mailServer());
    const { result, lines } = await captureLog(() => rejection(bindingWith({}).send(outbox.tenant, aMail)));
    expect(result).toBe(FORBIDDEN);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { message: "mailer", tenant: outbox.tenant, error: "forbidden" },
    ]);
    expect(await outbox.database.tables()).toEqual([]);
  });

  it.each<[string, object]>([
    ["none", {}],
    ["no tenants", { service: "login" }],
    ["an empty list", { service: "login", tenants: [] }],
    ["another tenant", { service: "login", tenants: ["globex"] }],
    ["a text that contains the tenant", { service: "login", tenants: "acme,globex" }],
    ["a list with a star", { service: "login", tenants: ["*"] }],
    ["no service", { tenants: "*" }],
  ])("reject every call otherwise: %s", async (_, props) => {
    const mailer = mailerWith(props);
    const { lines } = await captureLog(async () => {
      await expect(mailer.send("acme", aMail)).rejects.toThrow(FORBIDDEN);
      await expect(mailer.status("acme", "id")).rejects.toThrow(FORBIDDEN);
    });
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ message: "mailer", error: "forbidden" });
    expect(lines).toHaveLength(2);
  });

  it.each(["", "ACME", "a.b", "xn--a", "../acme"])(
    "do not reach what is no tenant id: %j",
    async (tenant) => {
      await expect(mailerWith({ service: "login", tenants: "*" }).send(tenant, aMail)).rejects.toThrow(
        FORBIDDEN,
      );
    },
  );
});
