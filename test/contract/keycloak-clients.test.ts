import { describe, expect, it } from "vitest";
import { newAdministrator } from "../support/administrator.ts";
import { CONSOLE_SETTINGS, CONSOLE_SETTINGS_AS_READ } from "../support/console-settings.ts";
import { families } from "../support/families.ts";
import { saved, settingsResponse } from "../support/responses.ts";

describe.each(families)("settings that Keycloak's admin console sends ($family)", ({ address }) => {
  it("read back equal after normalization", async () => {
    const ada = await newAdministrator(address);
    expect(await ada.save(CONSOLE_SETTINGS)).toEqual(saved);
    expect(await ada.read()).toEqual(settingsResponse(CONSOLE_SETTINGS_AS_READ));
  });

  it("can be sent back as they were read", async () => {
    const ada = await newAdministrator(address);
    await ada.save(CONSOLE_SETTINGS);
    const { settings } = (await ada.read()).body as { settings: object };
    expect(await ada.save(settings)).toEqual(saved);
    expect((await ada.opened()).settings).toMatchObject({ password: "app-password", timeout: 5_000 });
  });
});
