import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, errorResponse, newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { newIssuer } from "../support/issuer.ts";
import { BODY_MAX_BYTES } from "../support/request-body.ts";
import {
  contentTooLarge,
  mandatoryFieldsMissing,
  notFound,
  readJson,
  unauthorized,
  unsupportedMediaType,
} from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

/** A request that fails every check after that of its address. */
const everyFault = {
  method: "PUT",
  token: "bad",
  headers: { "Content-Type": "text/plain" },
  body: "{".repeat(BODY_MAX_BYTES + 1),
};

describe.each(families)("order of checks ($family)", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const failingStore = {
    SMTP_SETTINGS: new Proxy(env.SMTP_SETTINGS, {
      get: () => () => Promise.reject(new Error("KV PUT failed: 500 Internal Server Error")),
    }),
  };

  it("rejects plain http first, even before an invalid configuration", async () => {
    const url = address("bäd").replace("https:", "http:");
    const response = await call(url, { ...everyFault, env: { SETTINGS_KEYS: "" } });
    expect(await readJson(response)).toMatchObject({ httpStatus: 403, body: { status: "FORBIDDEN" } });
    expect(response.headers.get("Location")).toBeNull();
  });

  it("checks host and tenant before the method", async () => {
    expect(await readJson(await call(address("bäd"), everyFault))).toEqual(notFound);
  });

  it("checks the method before the token", async () => {
    expect((await ada.send(everyFault)).status).toBe(405);
  });

  it("checks the token before the role", async () => {
    const stranger = await newIssuer(ada.tenant);
    await ada.realm.publish(ada.realm.publicJwk);
    const token = await stranger.token({ resource_access: {} });
    expect(await errorResponse(ada, { ...everyFault, method: "POST", token })).toEqual(unauthorized);
  });

  it("checks the role before the media type", async () => {
    const token = await ada.realm.token({ resource_access: {} });
    const response = await errorResponse(ada, { ...everyFault, method: "POST", token });
    expect(response).toMatchObject({ httpStatus: 403, body: { status: "FORBIDDEN" } });
  });

  it("checks the media type before the size", async () => {
    const response = await errorResponse(ada, { ...everyFault, method: "POST", token: ada.token });
    expect(response).toEqual(unsupportedMediaType);
  });

  it("checks the size before the syntax", async () => {
    expect(await errorResponse(ada, { body: everyFault.body })).toEqual(contentTooLarge);
  });

  it("checks the fields before it uses the store", async () => {
    expect(await errorResponse(ada, { body: { port: "25" }, env: failingStore })).toEqual(
      mandatoryFieldsMissing,
    );
  });

  it("uses the store last", async () => {
    const response = await errorResponse(ada, { body: sampleSettings, env: failingStore });
    expect(response).toMatchObject({
      httpStatus: 503,
      body: { status: "SERVICE_UNAVAILABLE", subSystem: 8 },
    });
  });
});
