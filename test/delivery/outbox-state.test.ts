import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Dispatcher } from "../../src/delivery/dispatcher.ts";
import type { MailStore } from "../../src/delivery/mail-store.ts";
import { OutboxState } from "../../src/delivery/outbox-state.ts";

/** The state of an outbox that has stored these pairs. */
function stateOf(pairs: Record<string, unknown>): OutboxState {
  const stored = new Map(Object.entries(pairs));
  const put = (key: string, value: unknown) => stored.set(key, value);
  const kv = { put, get: (key: string) => stored.get(key), delete: (key: string) => stored.delete(key) };
  return new OutboxState(kv as unknown as SyncKvStorage);
}

it("orders an attempt behind what an earlier instance has accepted, although the clock has gone back", () => {
  const state = stateOf({ evidence: { fingerprints: [], messageAcceptedAt: 1_005 } });
  expect(state.moment(1_000)).toEqual({ now: 1_000, tick: 1_006, acceptedAt: 1_005 });
});

it("needs no alarm for old settings after a run that fails, which would repeat without end", async () => {
  const state = stateOf({ settings: { jwe: undefined, at: 0 } });
  const store: Pick<MailStore, "interrupted" | "waiting"> = {
    interrupted: () => {
      throw new Error("broken");
    },
    waiting: () => ({ urgent: false }) as ReturnType<MailStore["waiting"]>,
  };
  await new Dispatcher("acme", store as MailStore, state).run(env);
  expect(state.pause).toMatchObject({ kind: "delivery" });
  expect(state.latestSettingsUntil).toBeUndefined();
});
