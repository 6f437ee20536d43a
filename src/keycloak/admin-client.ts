import { defined } from "../defined.ts";
import { readText } from "../read-text.ts";
import { KeycloakError } from "./errors.ts";

/** Time limit of one request to Keycloak, body included, in milliseconds. */
export const KEYCLOAK_TIMEOUT_MS = 10_000;

/** Largest realm, in bytes. Keycloak's has some 6 KiB, without its own attributes and browser headers. */
export const REALM_MAX_BYTES = 1024 * 1024;

/** The parts of a realm that an update of `smtpServer` has to send. */
export interface Realm {
  attributes: Record<string, unknown>;
  smtpServer: Record<string, unknown>;
  oauth2DeviceCodeLifespan?: unknown;
  oauth2DevicePollingInterval?: unknown;
}

type AdminFetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * One realm in Keycloak's Admin REST API, with one caller's token.
 *
 * @see https://www.keycloak.org/docs-api/latest/rest-api/#_realms_admin
 */
export class KeycloakAdminClient {
  readonly #url: string;
  readonly #token: string;
  readonly #fetch: AdminFetch;

  /**
   * @param url of the realm
   * @param fetch the runtime's, by default
   */
  constructor(
    url: string,
    token: string,
    fetch: AdminFetch = (address, init) => globalThis.fetch(address, init),
  ) {
    this.#url = url;
    this.#token = token;
    this.#fetch = fetch;
  }

  /**
   * Reads the realm.
   *
   * @throws {KeycloakError} `forbidden` also if Keycloak withholds settings, as it does without view-realm
   */
  async readRealm(): Promise<Realm> {
    const response = await this.#request("GET").catch(() => {
      throw new KeycloakError("failed", "Keycloak is unreachable");
    });
    if (response.status !== 200) throw await rejection(response, "failed");
    const realm = parse(await readBody(response));
    if (!isObject(realm.attributes) || !isObject(realm.smtpServer)) {
      throw new KeycloakError("forbidden", "Keycloak withholds the realm's settings");
    }
    const { attributes, smtpServer, oauth2DeviceCodeLifespan, oauth2DevicePollingInterval } = realm;
    return { attributes, smtpServer, oauth2DeviceCodeLifespan, oauth2DevicePollingInterval };
  }

  /**
   * Replaces `smtpServer`. Keycloak resets the other members to their defaults unless they are sent as well.
   *
   * @throws {KeycloakError} `unknown` if Keycloak may have the settings
   */
  async updateRealm(realm: Realm): Promise<void> {
    const response = await this.#request("PUT", JSON.stringify(realm)).catch(() => {
      throw new KeycloakError("unknown", "Keycloak did not respond");
    });
    if (response.status !== 204) throw await rejection(response, "unknown");
  }

  #request(method: "GET" | "PUT", body?: string): Promise<Response> {
    return this.#fetch(this.#url, {
      method,
      headers: defined({
        Accept: "application/json",
        Authorization: `Bearer ${this.#token}`,
        "User-Agent": "tenant-mail",
        "Content-Type": body && "application/json",
      }),
      ...defined({ body }),
      // A redirect would take the token elsewhere.
      redirect: "manual",
      signal: AbortSignal.timeout(KEYCLOAK_TIMEOUT_MS),
    });
  }
}

/** @param otherwise the outcome of a 5xx, which may come from a proxy that has given up */
async function rejection(response: Response, otherwise: KeycloakError["outcome"]): Promise<KeycloakError> {
  const { status } = response;
  await response.body?.cancel();
  if (status === 403) return new KeycloakError("forbidden", "Keycloak responded 403");
  return new KeycloakError(status >= 500 ? otherwise : "failed", `Keycloak responded ${status}`);
}

async function readBody(response: Response): Promise<string> {
  const tooLarge = new KeycloakError("failed", "Keycloak's response is too large");
  return readText(response, REALM_MAX_BYTES, tooLarge).catch((error: unknown) => {
    throw error === tooLarge ? error : new KeycloakError("failed", "Keycloak is unreachable");
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch {
    // Malformed, as anything else that is no object.
  }
  throw new KeycloakError("failed", "Keycloak's response is not a realm");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
