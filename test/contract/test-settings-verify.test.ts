import { describe, expect, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { invalidField, saved } from "../support/responses.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

describe.concurrent.each(families)("A save with verify=true, $family,", (family) => {
  it("saves settings that pass the probe, and sends no mail", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    expect(await client.save(localSettings(server.port), "?verify=true")).toEqual(saved);
    expect((await client.ada.opened()).settings.port).toBe(server.port);
    expect(await server.state()).toMatchObject({ messages: [], connections: 1 });
  });

  it("responds with the diagnosis of a failed probe, and leaves the stored settings unchanged", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    await client.save(localSettings(server.port));
    const before = await client.ada.sealed();
    const settings = localSettings(server.port, { password: "wrong" });
    expect(await client.save(settings, "?verify=true")).toMatchObject({
      httpStatus: 502,
      body: { status: "BAD_GATEWAY", stage: "authentication", smtpCode: 535, steps: { length: 3 } },
    });
    expect(await client.ada.sealed()).toBe(before);
  });

  it("stores nothing if the server rejects the sender", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer({
      reject: { sender: "553 5.7.1 Sender address rejected: not owned by user" },
    });
    expect(await client.save(localSettings(server.port), "?verify=true")).toMatchObject({
      httpStatus: 502,
      body: { status: "BAD_GATEWAY", stage: "sender", smtpCode: 553, steps: { length: 4 } },
    });
    expect(await client.ada.sealed()).toBeNull();
  });

  it("stores nothing after a failed probe of first settings", async () => {
    const client = await newSmtpTestClient(family);
    const server = await mailServer();
    const settings = localSettings(server.port, { password: "wrong" });
    expect((await client.save(settings, "?verify=true")).httpStatus).toBe(502);
    expect(await client.ada.sealed()).toBeNull();
  });
});

describe.concurrent("A save", () => {
  it("succeeds with verify=true if the server rejects only the recipient", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await mailServer({ reject: { recipient: "550 5.1.1 User unknown" } });
    expect(await client.save(localSettings(server.port), "?verify=true")).toEqual(saved);
  });

  it("probes with the stored password if the mask keeps it", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await mailServer();
    await client.save(localSettings(server.port));
    const settings = localSettings(server.port, { password: "**********", from: "other@example.com" });
    expect(await client.save(settings, "?verify=TRUE")).toEqual(saved);
    expect((await client.ada.opened()).settings).toMatchObject({
      from: "other@example.com",
      password: "correct horse",
    });
    expect((await server.state()).connections).toBe(1);
  });

  it.each(["", "?verify=false", "?verify=", "?other=true"])(
    "does not connect with the query %j",
    async (query) => {
      const client = await newSmtpTestClient(families[0]);
      const server = await scriptedServer([]);
      expect(await client.save(localSettings(server.port), query)).toEqual(saved);
      expect((await server.state()).connections).toBe(0);
    },
  );

  it("rejects another value of verify, and stores nothing", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await scriptedServer([]);
    expect(await client.save(localSettings(server.port), "?verify=yes")).toEqual(
      invalidField("verify", 'must be true, false, "true" or "false"'),
    );
    expect((await server.state()).connections).toBe(0);
    expect(await client.ada.sealed()).toBeNull();
  });
});
