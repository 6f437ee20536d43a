import { reset } from "cloudflare:test";
import { beforeEach, expect, it } from "vitest";
import { settingsSchema } from "../../src/settings/schema.ts";
import { openRecord } from "../../src/settings/store.ts";
import { newOAuthClient } from "../support/oauth/clients.ts";
import { storeRecords } from "../support/records.ts";
import { newRotation, storedAs } from "../support/rotation.ts";

beforeEach(reset);

it.each(["secret", "certificate"] as const)(
  "A rotation keeps every field of a token by %s",
  async (credential) => {
    const { oldKeys, newKeys, run } = await newRotation();
    const client = await newOAuthClient({ credential });
    const mandatory = { host: "smtp.example.net", from: "sender@example.com" };
    const settings = settingsSchema.parse({ ...mandatory, ...client.settings });
    await storeRecords(["acme"], oldKeys, { settings });
    expect(await run()).toMatchObject({ examined: 1, resealed: 1, failures: [] });
    const { settings: resealed } = await openRecord("acme", (await storedAs("acme")).value ?? "", newKeys);
    expect(resealed).toEqual(settings);
    expect(resealed).toMatchObject(client.settings);
  },
);
