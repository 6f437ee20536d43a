import { exports } from "cloudflare:workers";
import { hc, type InferRequestType, type InferResponseType } from "hono/client";
import { beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import type { routes } from "../src/app.ts";
import { newIssuer } from "./support/issuer.ts";
import { sampleSettings } from "./support/samples.ts";

function newClient(origin: string, token: string) {
  return hc<typeof routes>(origin, {
    headers: { Authorization: `Bearer ${token}` },
    fetch: (input: RequestInfo | URL, init?: RequestInit) => exports.default.fetch(new Request(input, init)),
  });
}

describe("the typed client", () => {
  let tenantId: string;
  let token: string;
  beforeEach(async () => {
    const realm = await newIssuer();
    tenantId = realm.tenant;
    token = await realm.token();
  });

  it("saves and reads settings, SSMS", async () => {
    const { config } = newClient(`https://${tenantId}.example.com`, token).digitanium.v4.mail;
    const saved = await config.$post({ json: sampleSettings, query: {} });
    expect(await saved.json()).toMatchObject({ message: "Successfully updated SMTP Details" });
    const { settings } = await (await config.$get()).json();
    expect(settings).toMatchObject({ host: "smtp.gmail.com", port: "587", starttls: true });
  });

  it("saves and reads settings, SHIFT", async () => {
    const { setup } = newClient("https://example.com", token).auth.realms[":tenantId"].mail;
    const saved = await setup.$post({ param: { tenantId }, json: sampleSettings, query: {} });
    expect(await saved.json()).toMatchObject({ message: "Successfully updated SMTP Details" });
    const { settings } = await (await setup.$get({ param: { tenantId } })).json();
    expect(settings).toMatchObject({ host: "smtp.gmail.com", port: "587", starttls: true });
  });

  it("reads history", async () => {
    const { config } = newClient(`https://${tenantId}.example.com`, token).digitanium.v4.mail;
    await config.$post({ json: sampleSettings, query: {} });
    const { entries } = await (await config.history.$get({ query: { limit: "1" } })).json();
    expect(entries).toMatchObject([{ action: "saved", family: "SSMS" }]);
  });

  it("reads health", async () => {
    const { mail } = newClient(`https://${tenantId}.example.com`, token).digitanium.v4;
    expect(await (await mail.health.$get()).json()).toMatchObject({ status: "OK" });
  });

  it("infers the fields of a save, and which are mandatory", () => {
    const { config } = newClient("https://acme.example.com", token).digitanium.v4.mail;
    type Saved = InferRequestType<typeof config.$post>["json"];
    expectTypeOf<Saved["host"]>().toEqualTypeOf<string>();
    expectTypeOf<Saved["port"]>().toEqualTypeOf<string | number | null | undefined>();
    expectTypeOf<{ from: string }>().not.toExtend<Saved>();
    expectTypeOf<Saved>().not.toHaveProperty("username");
  });

  it("infers the response to a read", () => {
    const { config } = newClient("https://acme.example.com", token).digitanium.v4.mail;
    type Read = InferResponseType<typeof config.$get>;
    expectTypeOf<Read["settings"]["port"]>().toEqualTypeOf<string>();
    expectTypeOf<Read["warnings"]>().toEqualTypeOf<string[]>();
  });
});
