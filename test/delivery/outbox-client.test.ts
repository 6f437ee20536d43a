import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callOutbox, notifyOutbox } from "../../src/delivery/outbox-client.ts";
import { mailSchema } from "../../src/delivery/schema.ts";
import { submit } from "../../src/delivery/submit.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { aMail, newOutbox, outboxOf, type TestOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

// Alarms are set for this time, so none fires before the test runs it.
beforeEach(() => advanceClock(60 * 60_000));
afterEach(restoreClock);

const RETRYABLE = { retryable: true };
const UNAVAILABLE = { kind: "outbox_unavailable" };

/** Bindings that lose the replies of an outbox, after it has executed the calls: one stub for each error. */
function losingReplies(...errors: object[]) {
  const stubs: string[] = [];
  const getByName = (tenant: string) => {
    const error = errors[stubs.length];
    stubs.push(tenant);
    const stub = env.OUTBOX.getByName(tenant);
    const get =
      (_: object, method: string) =>
      async (...parameters: unknown[]) => {
        const result = await Reflect.apply(Reflect.get(stub, method), stub, parameters);
        if (error !== undefined) throw Object.assign(new Error("reset because of a deployment"), error);
        return result;
      };
    return new Proxy(stub, { get });
  };
  return { bindings: { ...env, OUTBOX: { getByName } as unknown as Env["OUTBOX"] }, stubs };
}

async function submitTo(outbox: TestOutbox, bindings: Env, key?: string) {
  return submit(bindings, await outbox.config(), outbox.tenant, mailSchema.parse(aMail), key);
}

describe("a call whose reply is lost", () => {
  it("is repeated once, over a new stub", async () => {
    const outbox = await newOutbox(await mailServer());
    const id = await outbox.submit();
    const { bindings, stubs } = losingReplies(RETRYABLE);
    const read = await callOutbox(bindings, outbox.tenant, (stub) => stub.get(id));
    expect(read).toMatchObject({ id, state: "queued" });
    expect(stubs).toEqual([outbox.tenant, outbox.tenant]);
  });

  it("is repeated if it brings settings", async () => {
    const outbox = await newOutbox();
    const { bindings, stubs } = losingReplies(RETRYABLE);
    await notifyOutbox(bindings, outbox.tenant, "sealed");
    expect(await outboxOf(outbox.tenant).handed()).toMatchObject({ jwe: "sealed" });
    expect(stubs).toHaveLength(2);
  });

  it.each<[string, object[], number, object]>([
    ["twice", [RETRYABLE, RETRYABLE], 2, UNAVAILABLE],
    ["because the object is overloaded", [{ retryable: true, overloaded: true }], 1, UNAVAILABLE],
    ["because of another error", [{}], 1, { message: "reset because of a deployment" }],
  ])("fails if it is lost %s", async (_, errors, calls, expected) => {
    const { tenant } = await newOutbox();
    const { bindings, stubs } = losingReplies(...errors);
    await expect(callOutbox(bindings, tenant, (stub) => stub.get("id"))).rejects.toMatchObject(expected);
    expect(stubs).toHaveLength(calls);
  });
});

describe("a message whose acceptance is not reported", () => {
  it("is submitted again with its key, and accepted once", async () => {
    const outbox = await newOutbox(await mailServer());
    const { bindings } = losingReplies(RETRYABLE);
    const { messages, replayed } = await submitTo(outbox, bindings, "key");
    expect(replayed).toBe(true);
    expect(await outbox.query("SELECT id FROM mail")).toEqual([{ id: messages[0]?.id }]);
  });

  it("is left to the client without a key, as it may have been accepted", async () => {
    const outbox = await newOutbox(await mailServer());
    const { bindings, stubs } = losingReplies(RETRYABLE);
    await expect(submitTo(outbox, bindings)).rejects.toMatchObject(UNAVAILABLE);
    expect(stubs).toHaveLength(1);
    expect(await outbox.states()).toEqual(["queued"]);
  });
});
