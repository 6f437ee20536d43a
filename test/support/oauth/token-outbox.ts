import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { MailStatus } from "../../../src/delivery/status.ts";
import { newAdministrator } from "../administrator.ts";
import { call } from "../client.ts";
import { eventually } from "../eventually.ts";
import { families } from "../families.ts";
import { saved } from "../responses.ts";

/** The outbox of a tenant of its own, over HTTP. */
interface TokenOutbox {
  save(settings: object): Promise<void>;
  /** Submits a mail, and returns its id. */
  submit(): Promise<string>;
  status(id: string): Promise<MailStatus>;
  /** Runs the alarm, if one is set. */
  drain(): Promise<void>;
  /** Runs alarms until these messages are sent. */
  untilSent(...ids: string[]): Promise<void>;
}

/** Creates a tenant with these settings. Its outbox may dial this machine: all objects of the isolate may. */
export async function newTokenOutbox(settings: object): Promise<TokenOutbox> {
  env.ALLOW_PRIVATE_HOSTS = "true";
  const ada = await newAdministrator(families[0].address);
  const token = await ada.realm.token({
    // Longer than tests advance the clock.
    exp: Math.floor(Date.now() / 1000) + 24 * 60 * 60,
    resource_access: {
      "realm-management": { roles: ["manage-realm"] },
      "tenant-mail": { roles: ["mail-sender"] },
    },
  });
  const url = ada.url.replace(/config$/, "messages");
  const stub = env.OUTBOX.getByName(ada.tenant);
  const status = async (id: string) => (await call(`${url}/${id}`, { token })).json<MailStatus>();
  const drain = async () => void (await runDurableObjectAlarm(stub));
  const save = async (changed: object) => expect(await ada.save(changed, { token })).toEqual(saved);
  await save(settings);
  return {
    save,
    status,
    drain,
    submit: async () => {
      const body = { to: "reader@example.org", subject: "Hello", text: "Hello\n" };
      const response = await call(url, { token, body });
      expect(response.status).toBe(202);
      return (await response.json<{ id: string }>()).id;
    },
    untilSent: (...ids) =>
      eventually(async () => {
        await drain();
        const states = await Promise.all(ids.map(async (id) => (await status(id)).state));
        expect(new Set(states)).toEqual(new Set(["sent"]));
      }),
  };
}
