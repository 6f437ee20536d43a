import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { callOutbox } from "../../src/delivery/outbox-client.ts";
import { newOutbox } from "../support/outbox.ts";
import { mailServer } from "../support/smtp/servers.ts";

const RETRYABLE = { retryable: true };
const UNAVAILABLE = { kind: "outbox_unavailable" };

/** An outbox that executes calls, and whose replies are lost: one stub for each error. */
async function losingReplies(...errors: object[]) {
  const outbox = await newOutbox(await mailServer());
  const stubs: object[] = [];
  const getByName = (tenant: string) => {
    const [stub, error] = [env.OUTBOX.getByName(tenant), errors[stubs.length]];
    stubs.push(stub);
    const get = (_: object, method: "get" | "accept") => {
      return async (...parameters: never[]) => {
        const result = await Reflect.apply(stub[method], stub, parameters);
        if (error !== undefined) throw Object.assign(new Error("reset"), error);
        return result;
      };
    };
    return new Proxy(stub, { get });
  };
  outbox.bindings = { ...env, OUTBOX: { getByName } as never };
  return {
    outbox,
    stubs,
    read: () =>
      callOutbox(outbox.bindings, outbox.tenant, (stub) => stub.get("id", undefined), { isIdempotent: true }),
  };
}

describe("a call whose reply is lost", () => {
  it("is repeated once, over a new stub", async () => {
    const { read, stubs } = await losingReplies(RETRYABLE);
    expect(await read()).toBeUndefined();
    expect(new Set(stubs).size).toBe(2);
  });

  it.each<[string, object[], object]>([
    ["twice", [RETRYABLE, RETRYABLE], UNAVAILABLE],
    ["because the object is overloaded", [{ retryable: true, overloaded: true }], UNAVAILABLE],
    ["because of another error", [{}], { message: "reset" }],
  ])("fails if it is lost %s", async (_, errors, expected) => {
    const { read, stubs } = await losingReplies(...errors);
    await expect(read()).rejects.toMatchObject(expected);
    expect(stubs).toHaveLength(errors.length);
  });
});

describe("a change whose reply is lost", () => {
  it("is not repeated: the second call would find what the first one changed", async () => {
    const { outbox, stubs } = await losingReplies(RETRYABLE);
    const cancel = callOutbox(outbox.bindings, outbox.tenant, (stub) => stub.get("id", undefined), {
      isIdempotent: false,
    });
    await expect(cancel).rejects.toMatchObject(UNAVAILABLE);
    expect(stubs).toHaveLength(1);
  });
});

describe("a message whose acceptance is not reported", () => {
  it("is submitted again with its key, and accepted once", async () => {
    const { outbox, stubs } = await losingReplies(RETRYABLE);
    const id = await outbox.submit({}, "key");
    expect(await outbox.database.query("SELECT id FROM mail")).toEqual([{ id }]);
    expect(stubs).toHaveLength(2);
  });

  it("is left to the client without a key, as it may have been accepted", async () => {
    const { outbox, stubs } = await losingReplies(RETRYABLE);
    await expect(outbox.submit()).rejects.toMatchObject(UNAVAILABLE);
    expect(await outbox.states()).toHaveLength(1);
    expect(stubs).toHaveLength(1);
  });
});
