import { afterEach, describe, expect, it } from "vitest";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import type { Behavior } from "../support/issuer-network.ts";
import { captureLog } from "../support/log.ts";
import { newOAuthClient, type OAuthClient, tokenMailServer } from "../support/oauth/clients.ts";
import { newTokenEndpoint, respondsWith } from "../support/oauth/endpoints.ts";
import { newTokenOutbox } from "../support/oauth/token-outbox.ts";

/** Longer than any pause for settings. */
const PAUSE_MS = 61 * 60_000;

afterEach(restoreClock);

function settingsFor({ port }: { port: number }, client: OAuthClient, changes: object = {}) {
  return {
    host: "localhost",
    port,
    from: "sender@example.com",
    starttls: true,
    ...client.settings,
    ...changes,
  };
}

async function newTenant(changes: object = {}) {
  const [server, client] = [await tokenMailServer(), await newOAuthClient()];
  const outbox = await newTokenOutbox(settingsFor(server, client, changes));
  return { server, client, outbox };
}

describe("Delivery with authType token", () => {
  it("requests one token for 50 messages that are submitted at once", async () => {
    const { server, client, outbox } = await newTenant();
    const ids = await Promise.all(Array.from({ length: 50 }, () => outbox.submit()));
    await outbox.untilSent(...ids);
    const messages = await server.messages();
    expect(messages).toHaveLength(50);
    expect(new Set(messages.map(({ mechanism }) => mechanism))).toEqual(new Set(["XOAUTH2"]));
    expect(await client.log()).toHaveLength(1);
  });

  it("keeps the token from one drain to the next", async () => {
    const { server, client, outbox } = await newTenant();
    await outbox.untilSent(await outbox.submit());
    await outbox.untilSent(await outbox.submit());
    expect(await server.connections()).toBe(2);
    expect(await client.log()).toHaveLength(1);
  });

  it("requests another token, once, if the server rejects the one that it keeps", async () => {
    const { server, client, outbox } = await newTenant();
    await outbox.untilSent(await outbox.submit());
    await client.expireTokens();
    const id = await outbox.submit();
    await outbox.untilSent(id);
    expect(await outbox.status(id)).toMatchObject({ state: "sent", attempts: 1 });
    expect(await server.messages()).toHaveLength(2);
    expect(await client.log()).toHaveLength(2);
  });

  it("uses the token of new settings at once", async () => {
    const { server, client, outbox } = await newTenant();
    await outbox.untilSent(await outbox.submit());
    const other = await newOAuthClient();
    await outbox.save(settingsFor(server, other));
    await outbox.untilSent(await outbox.submit());
    expect(await client.log()).toHaveLength(1);
    expect(await other.log()).toHaveLength(1);
  });

  it.each<[string, Behavior, object]>([
    ["429", { kind: "respond", status: 429, body: "" }, { oauth: { status: 429 } }],
    ["503", { kind: "respond", status: 503, body: "" }, { oauth: { status: 503 } }],
    ["no response", { kind: "down" }, {}],
  ])("waits for the server after %s, and then sends", async (_, behavior, members) => {
    const endpoint = await newTokenEndpoint(behavior);
    const { outbox, server, client } = await newTenant({ authTokenUrl: endpoint.url });
    const id = await outbox.submit();
    await outbox.drain();
    await eventually(async () =>
      expect(await outbox.status(id)).toMatchObject({
        state: "queued",
        attempts: 0,
        waitingFor: "server",
        failure: {
          stage: "token",
          message: "The token endpoint could not be reached, or is not available.",
          ...members,
        },
      }),
    );
    await outbox.save(settingsFor(server, client));
    advanceClock(PAUSE_MS);
    await outbox.untilSent(id);
  });

  it.each<[string, Behavior, object]>([
    [
      "an OAuth error",
      respondsWith({ error: "invalid_client", error_description: "AADSTS7000222: Expired." }, 401),
      {
        message: "The token endpoint rejected the request for an access token.",
        oauth: { status: 401, error: "invalid_client", error_description: "AADSTS7000222: Expired." },
        hint: expect.stringContaining("client secret has expired"),
      },
    ],
    [
      "a page",
      { kind: "respond", body: "<html>" },
      { message: "The token endpoint did not return an access token.", oauth: { status: 200 } },
    ],
  ])("waits for other settings after %s, and then sends", async (_, behavior, members) => {
    const endpoint = await newTokenEndpoint(behavior);
    const { outbox, server, client } = await newTenant({ authTokenUrl: endpoint.url });
    const id = await outbox.submit();
    await outbox.drain();
    await eventually(async () =>
      expect(await outbox.status(id)).toMatchObject({
        state: "queued",
        attempts: 0,
        waitingFor: "settings",
        failure: { stage: "token", ...members },
      }),
    );
    await outbox.save(settingsFor(server, client));
    advanceClock(PAUSE_MS);
    await outbox.untilSent(id);
  });

  it("waits for other settings if the server rejects every token", async () => {
    const { client, outbox } = await newTenant({ authTokenScope: "other" });
    const id = await outbox.submit();
    await outbox.drain();
    await eventually(async () =>
      expect(await outbox.status(id)).toMatchObject({
        state: "queued",
        waitingFor: "settings",
        failure: {
          stage: "authentication",
          smtpCode: 535,
          challenge: '{"status":"401","schemes":"bearer","scope":"smtp"}',
        },
      }),
    );
    expect(await client.log()).toHaveLength(1);
  });

  it("sends for one tenant while the token endpoint of another is slow", async () => {
    const endpoint = await newTokenEndpoint({ kind: "slow", milliseconds: 1_500, body: "" });
    const [slow, quick] = [await newTenant({ authTokenUrl: endpoint.url }), await newTenant()];
    const waiting = await slow.outbox.submit();
    const drain = slow.outbox.drain();
    await eventually(async () => expect(await endpoint.requests()).toHaveLength(1));
    await quick.outbox.untilSent(await quick.outbox.submit());
    expect((await slow.outbox.status(waiting)).failure).toBeUndefined();
    await drain;
    await eventually(async () =>
      expect(await slow.outbox.status(waiting)).toMatchObject({ failure: { stage: "token" } }),
    );
  });

  it("logs neither token nor secret", async () => {
    const { client, outbox } = await newTenant();
    const { lines } = await captureLog(async () => {
      const id = await outbox.submit();
      await outbox.untilSent(id);
      await client.expireTokens();
      await client.revoke();
      await outbox.submit();
      await outbox.drain();
      // One for the first message; then in the body and by HTTP Basic, both refused.
      await eventually(async () => expect(await client.log()).toHaveLength(3));
    });
    const log = lines.join("\n");
    expect(log).toContain('"message":"delivery"');
    expect(log).not.toContain(client.credential);
    expect(log).not.toMatch(/[\w-]{43}/);
  });
});
