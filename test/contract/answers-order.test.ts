import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator, refusalFor, seen } from "../support/administrator.ts";
import { mandatoryMissing, notFound, tooLarge, unauthorized, wrongMediaType } from "../support/answers.ts";
import { type Call, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { sampleSettings } from "../support/samples.ts";

/** Every fault that a request can have, but for those of its address. */
const everyFault = {
  method: "PUT",
  token: "bad",
  headers: { "Content-Type": "text/plain" },
  body: "{".repeat(16 * 1024 + 1),
};

describe.each(families)("of several faults, $family", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const refusalOf = (changes: Call) => refusalFor(ada, changes);

  const failingStore = {
    SMTP_SETTINGS: new Proxy(env.SMTP_SETTINGS, {
      get: () => () => Promise.reject(new Error("KV PUT failed: 500 Internal Server Error")),
    }),
  };

  it("plain http is told first, even before a wrong configuration", async () => {
    const url = address("-bad-").replace("https:", "http:");
    const response = await call(url, { ...everyFault, env: { SETTINGS_KEYS: "" } });
    expect(await seen(response)).toMatchObject({ httpStatus: 403, body: { status: "FORBIDDEN" } });
    expect(response.headers.get("Location")).toBeNull();
  });

  it("host and tenant are told before the method", async () => {
    expect(await seen(await call(address("-bad-"), everyFault))).toEqual(notFound);
  });

  it("the method is told before the token", async () => {
    expect((await ada.send(everyFault)).status).toBe(405);
  });

  it("the token is told before the role", async () => {
    const stranger = await newIssuer(ada.tenant, "ES256");
    await ada.realm.serves({ kind: "answer", body: JSON.stringify({ keys: [ada.realm.publicJwk] }) });
    const token = await stranger.token({ resource_access: {} });
    expect(await refusalOf({ ...everyFault, method: "POST", token })).toEqual(unauthorized);
  });

  it("the role is told before the media type", async () => {
    const token = await ada.realm.token({ resource_access: {} });
    const refusal = await refusalOf({ ...everyFault, method: "POST", token });
    expect(refusal).toMatchObject({ httpStatus: 403, body: { status: "FORBIDDEN" } });
  });

  it("the media type is told before the size", async () => {
    expect(await refusalOf({ ...everyFault, method: "POST", token: ada.token })).toEqual(wrongMediaType);
  });

  it("the size is told before the syntax", async () => {
    expect(await refusalOf({ body: everyFault.body })).toEqual(tooLarge);
  });

  it("the fields are told before the store", async () => {
    expect(await refusalOf({ body: { port: "25" }, env: failingStore })).toEqual(mandatoryMissing);
  });

  it("the store's is told last", async () => {
    const refusal = await refusalOf({ body: sampleSettings, env: failingStore });
    expect(refusal).toMatchObject({
      httpStatus: 503,
      body: { status: "SERVICE_UNAVAILABLE", subSystem: 8 },
    });
  });
});
