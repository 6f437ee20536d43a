import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import worker from "../../src/index.ts";
import { newAdministrator, seen } from "../support/administrator.ts";
import { deleted, saved } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { faultyKv, TOO_MANY_REQUESTS } from "../support/faulty-kv.ts";
import { readHistory } from "../support/history.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { withLog } from "../support/request-lines.ts";
import { sampleSettings } from "../support/samples.ts";

const OUTAGE = "KV PUT failed: 500 Internal Server Error";
const administrator = () => newAdministrator(families[0].address);

describe("a history that cannot be written", () => {
  it("loses no save, and leaves the answer as it is", async () => {
    const ada = await administrator();
    const { kv, calls } = faultyKv("put", OUTAGE, 1, "history:");
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(1);
    expect((await ada.opened()).settings.password).toBe(sampleSettings.password);
    expect((await readHistory(ada)).entries).toEqual([]);
  });

  it("loses no delete", async () => {
    const ada = await administrator();
    await ada.save(sampleSettings);
    const { kv } = faultyKv("put", OUTAGE, 1, "history:");
    expect(await seen(await ada.send({ method: "DELETE", env: { SMTP_SETTINGS: kv } }))).toEqual(deleted);
    expect(await ada.sealed()).toBeNull();
  });

  it("is logged by request, tenant and action, without secrets", async () => {
    const ada = await administrator();
    const { kv } = faultyKv("put", OUTAGE, 1, "history:");
    const { result: response, lines } = await withLog(() =>
      ada.send({ body: sampleSettings, env: { SMTP_SETTINGS: kv } }),
    );
    const requestId = response.headers.get("X-Request-Id");
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toContainEqual({
      message: "history not written",
      ...{ requestId, tenant: ada.tenant, action: "saved", reason: OUTAGE },
    });
    expect(entries).toContainEqual(expect.objectContaining({ message: "request", requestId, status: 200 }));
    expect(entries).toHaveLength(2);
    for (const secret of [sampleSettings.password, ada.token]) expect(lines.join()).not.toContain(secret);
  });

  it("is tried again when KV asks for patience (429)", async () => {
    const ada = await administrator();
    const { kv, calls } = faultyKv("put", TOO_MANY_REQUESTS, 1, "history:");
    expect(await ada.save(sampleSettings, { env: { SMTP_SETTINGS: kv } })).toEqual(saved);
    expect(calls()).toBe(2);
    expect((await readHistory(ada)).entries).toHaveLength(1);
  });
});

describe("a history that is slow to be written", () => {
  it("does not hold the answer up", async () => {
    const ada = await administrator();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const SMTP_SETTINGS = interceptedKv(env.SMTP_SETTINGS, (operation, key) =>
      operation === "put" && key.startsWith("history:") ? released : undefined,
    );
    const context = createExecutionContext();
    const request = new Request(ada.url, {
      method: "DELETE",
      headers: { Authorization: `Bearer ${ada.token}` },
    });
    expect(await seen(await worker.fetch(request, { ...env, SMTP_SETTINGS }, context))).toEqual(deleted);
    expect((await readHistory(ada)).entries).toEqual([]);
    release();
    await waitOnExecutionContext(context);
    expect((await readHistory(ada)).entries).toHaveLength(1);
  });
});

describe("a caller who hangs up", () => {
  it("is noted nonetheless, as the runtime is told before the save begins", async () => {
    const ada = await administrator();
    const told: Promise<unknown>[] = [];
    const context = { ...createExecutionContext(), waitUntil: (work: Promise<unknown>) => told.push(work) };
    let toldBeforeTheWrite = 0;
    const kv = interceptedKv(env.SMTP_SETTINGS, (operation, key) => {
      if (operation === "put" && key.startsWith("smtp:")) toldBeforeTheWrite = told.length;
    });
    const request = new Request(ada.url, {
      method: "POST",
      headers: { Authorization: `Bearer ${ada.token}`, "Content-Type": "application/json" },
      body: JSON.stringify(sampleSettings),
    });
    await worker.fetch(request, { ...env, SMTP_SETTINGS: kv }, context as unknown as ExecutionContext);
    expect(toldBeforeTheWrite).toBe(1);
    await Promise.all(told);
    expect((await readHistory(ada)).entries).toMatchObject([{ action: "saved" }]);
  });
});
