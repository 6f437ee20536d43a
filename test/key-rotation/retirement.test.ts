import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { RotationCursor } from "../../src/key-rotation/cursor.ts";
import { faultyKv } from "../support/faulty-kv.ts";
import { LONG_AGO, storeRecords, tenantNames } from "../support/records.ts";
import { cronTrigger, newRotation, storedAs } from "../support/rotation.ts";

beforeEach(reset);

const RETIRED_AT = "2026-11-01T00:00:00.000Z";

/** A time this many days after {@link RETIRED_AT}. */
const daysLater = (days: number) => new Date(Date.parse(RETIRED_AT) + days * 24 * 60 * 60_000);

const position = () => new RotationCursor(env.SMTP_SETTINGS).read();

describe("a key that no longer seals", () => {
  it("is not removable in the run that sees it first, and the run stores the time", async () => {
    const { run } = await newRotation({ oldRetiredAt: null });
    expect(await run({ now: daysLater(0) })).toMatchObject({ left: 0, cursorSaved: true, removable: [] });
    expect(await position()).toEqual({ retired: { old: RETIRED_AT } });
  });

  it.each([
    [0.99, []],
    [1, ["old"]],
  ])("after %d days makes these keys removable, if no value needs them: %j", async (days, removable) => {
    const { run } = await newRotation({ oldRetiredAt: null });
    for (const day of [0, 0.5]) await run({ now: daysLater(day) });
    expect(await run({ now: daysLater(days) })).toMatchObject({ removable });
  });

  it("is not removable while an outbox names it, however long", async () => {
    const { run } = await newRotation({ oldRetiredAt: RETIRED_AT });
    const list = (kids: string[]) => env.SMTP_SETTINGS.put("outbox:acme", "", { metadata: { kids } });
    await list(["new", "old"]);
    expect(await run({ now: daysLater(400) })).toMatchObject({ removable: [] });
    await list(["new"]);
    expect(await run({ now: daysLater(400) })).toMatchObject({ removable: ["old"] });
  });

  it("is not removable while a record still needs it, however long", async () => {
    const { run, oldKeys } = await newRotation({ oldRetiredAt: RETIRED_AT });
    await storeRecords(tenantNames(6), oldKeys);
    const options = { now: daysLater(20), maxOperations: 14 };
    expect(await run(options)).toMatchObject({ left: 1, removable: [] });
    expect(await run(options)).toMatchObject({ left: 0, removable: ["old"] });
  });

  it("waits again if it has sealed in between", async () => {
    const { run } = await newRotation({ oldRetiredAt: RETIRED_AT });
    await run({ now: daysLater(10), kids: ["old", "new"] });
    expect(await position()).toEqual({ retired: { new: daysLater(10).toISOString() } });
    expect(await run({ now: daysLater(12) })).toMatchObject({ removable: [] });
    expect(await run({ now: daysLater(12.9) })).toMatchObject({ removable: [] });
    expect(await run({ now: daysLater(13) })).toMatchObject({ removable: ["old"] });
  });

  it("is forgotten once it is removed", async () => {
    const { run } = await newRotation({ oldRetiredAt: RETIRED_AT });
    expect(await run({ now: daysLater(12), kids: ["new"] })).toMatchObject({ removable: [] });
    expect(await position()).toEqual({ retired: {} });
  });

  it("is advised for removal by the cron trigger only then", async () => {
    const { secret } = await newRotation({ oldRetiredAt: RETIRED_AT });
    const { entries: early } = await cronTrigger({ SETTINGS_KEYS: secret }, daysLater(0.9));
    expect(early).toEqual([expect.objectContaining({ message: "rotation", removable: [], advice: [] })]);
    const { entries: late } = await cronTrigger({ SETTINGS_KEYS: secret }, daysLater(1));
    expect(late).toEqual([
      expect.objectContaining({ advice: ["The key old can be removed from SETTINGS_KEYS."] }),
    ]);
  });
});

describe("a stored position", () => {
  it("stays as it is while KV cannot read it, so no key waits longer", async () => {
    const { run, oldKeys } = await newRotation({ oldRetiredAt: RETIRED_AT });
    await storeRecords(["acme"], oldKeys);
    const { kv } = faultyKv("get", "KV GET failed: 503 Service Unavailable", 1, "rotation");
    expect(await run({ kv, now: daysLater(12) })).toMatchObject({
      resealed: 1,
      cursorSaved: false,
      removable: [],
    });
    expect(await position()).toEqual({ retired: { old: RETIRED_AT } });
    expect(await run({ now: daysLater(12) })).toMatchObject({ cursorSaved: true, removable: ["old"] });
  });

  it("of version 0.1.0 is the last tenant, and continues", async () => {
    const { run, oldKeys } = await newRotation({ oldRetiredAt: null });
    await storeRecords(["a", "b", "c"], oldKeys);
    await env.SMTP_SETTINGS.put("rotation", "b");
    expect(await run({ now: daysLater(0), maxOperations: 6 })).toMatchObject({ resealed: 1, removable: [] });
    expect((await storedAs("c")).metadata).toMatchObject({ kid: "new" });
    expect(await position()).toEqual({ tenant: "c", retired: { old: RETIRED_AT } });
  });

  it.each(["{", "{}", '{"retired": null}', '{"retired": {"old": "never"}}', ""])(
    "makes no key removable, and blocks no rotation, if it is damaged: %j",
    async (damaged) => {
      const { run, oldKeys } = await newRotation({ oldRetiredAt: null });
      await storeRecords(["acme"], oldKeys, { updatedAt: LONG_AGO });
      await env.SMTP_SETTINGS.put("rotation", damaged);
      expect(await run()).toMatchObject({ resealed: 1, failures: [], cursorSaved: true, removable: [] });
      expect((await position()).tenant).toBe("acme");
    },
  );
});
