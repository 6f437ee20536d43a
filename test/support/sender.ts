import { type CallOptions, call } from "./client.ts";
import type { families } from "./families.ts";
import type { Issuer } from "./issuer.ts";
import { administratorClaims, newIssuer } from "./issuer.ts";
import { newOutbox, type TestOutbox } from "./outbox.ts";
import { type JsonResponse, readJson } from "./responses.ts";

/** The claims that give a caller the role of a sender. */
const SENDER = { resource_access: { "tenant-mail": { roles: ["mail-sender"] } } };

/** A client of a tenant that may send mail. */
interface Sender {
  realm: Issuer;
  tenant: string;
  outbox: TestOutbox;
  /** The address of the tenant's messages. */
  url: string;
  token: string;
  /** A token of another application of the realm that may send mail. */
  otherToken: string;
  adminToken: string;
  /** Sends a request to the address of the messages, or below it. */
  request(path?: string, options?: CallOptions): Promise<Response>;
  /** The same, and reads the response. */
  json(path?: string, options?: CallOptions): Promise<JsonResponse>;
  /** Submits a mail or a batch. */
  post(body: unknown, options?: CallOptions): Promise<JsonResponse>;
}

/** Creates a tenant with a sender, whose settings name a server on this machine, if one is given. */
export async function newSender(
  { address }: (typeof families)[number],
  server?: { port: number },
): Promise<Sender> {
  const outbox = await newOutbox(server);
  const { tenant } = outbox;
  const realm = await newIssuer(tenant);
  outbox.application = JSON.stringify([realm.issuer, "azp", administratorClaims(realm.issuer).azp]);
  const token = await realm.token(SENDER);
  const url = address(tenant).replace(/\w+$/, "messages");
  const request: Sender["request"] = (path = "", options = {}) =>
    call(`${url}${path}`, { token, ...options });
  const json: Sender["json"] = async (path, options) => readJson(await request(path, options));
  return {
    realm,
    tenant,
    outbox,
    url,
    token,
    otherToken: await realm.token({ ...SENDER, azp: "newsletter" }),
    adminToken: await realm.token(),
    request,
    json,
    post: (body, options) => json("", { body, ...options }),
  };
}
