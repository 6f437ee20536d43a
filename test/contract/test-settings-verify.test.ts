import { beforeEach, describe, expect, it } from "vitest";
import { invalidField, saved } from "../support/answers.ts";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { newTester, type Tester } from "../support/smtp/tester.ts";

describe.each(families)("saving with verify, $family,", (family) => {
  let tester: Tester;
  beforeEach(async () => {
    tester = await newTester(family);
  });

  it.each(["?verify=true", "?verify=TRUE"])(
    "saves what passes the probe (%s), and sends nothing",
    async (query) => {
      const server = await mailServer();
      expect(await tester.save(localSettings(server.port), query)).toEqual(saved);
      expect((await tester.ada.opened()).settings.port).toBe(server.port);
      expect(await server.findings()).toMatchObject({ mails: [], connections: 1 });
    },
  );

  it("answers a failed probe with its diagnosis, and leaves what was stored as it was", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    const before = await tester.ada.sealed();
    const settings = localSettings(server.port, { password: "wrong" });
    expect(await tester.save(settings, "?verify=true")).toMatchObject({
      httpStatus: 502,
      body: { status: "BAD_GATEWAY", stage: "authentication", smtpCode: 535, steps: { length: 3 } },
    });
    expect(await tester.ada.sealed()).toBe(before);
  });

  it("stores nothing after a failed probe where nothing was stored", async () => {
    const server = await mailServer();
    const settings = localSettings(server.port, { password: "wrong" });
    expect((await tester.save(settings, "?verify=true")).httpStatus).toBe(502);
    expect(await tester.ada.sealed()).toBeNull();
  });

  it("probes with the stored password where the mask asks to keep it", async () => {
    const server = await mailServer();
    await tester.save(localSettings(server.port));
    const settings = localSettings(server.port, { password: "**********", from: "other@example.com" });
    expect(await tester.save(settings, "?verify=true")).toEqual(saved);
    expect((await tester.ada.opened()).settings).toMatchObject({
      from: "other@example.com",
      password: "correct horse",
    });
  });

  it.each(["", "?verify=false", "?verify=", "?other=true"])(
    "dials nobody with the query %j",
    async (query) => {
      const server = await scriptedServer([]);
      expect(await tester.save(localSettings(server.port), query)).toEqual(saved);
      expect((await server.findings()).connections).toBe(0);
    },
  );

  it("refuses another value than true and false, and stores nothing", async () => {
    const server = await scriptedServer([]);
    expect(await tester.save(localSettings(server.port), "?verify=yes")).toEqual(
      invalidField("verify", 'must be true, false, "true" or "false"'),
    );
    expect((await server.findings()).connections).toBe(0);
    expect(await tester.ada.sealed()).toBeNull();
  });
});
