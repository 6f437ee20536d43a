import type { ReceivedMail } from "../smtp/mail-server.ts";
import {
  type ClientRequest,
  type MailServerRequest,
  OAUTH_CONTROL_ORIGIN,
  type RegisteredClient,
  TOKEN_URL,
  type TokenLogEntry,
} from "./control.ts";

/** The mailbox of tests that do not depend on it. */
export const MAILBOX = "postmaster@example.com";

/** A client of the OAuth server, as tests see it. */
export interface OAuthClient extends RegisteredClient {
  /** Its token requests so far. */
  log(): Promise<TokenLogEntry[]>;
  /** Removes it from the server. */
  revoke(): Promise<void>;
  /** Lets its tokens expire at the server, long before the time that their responses state. */
  expireTokens(): Promise<void>;
  /** Request fields that authenticate with its tokens. */
  settings: Record<string, string>;
}

/** Registers a client. */
export async function newOAuthClient(request: Partial<ClientRequest> = {}): Promise<OAuthClient> {
  const wanted: ClientRequest = { credential: "secret", mailbox: MAILBOX, ...request };
  const response = await control("POST", "/clients", wanted);
  const client = await response.json<RegisteredClient>();
  const { clientId, credential, certificate = "" } = client;
  const query = `?${new URLSearchParams({ clientId })}`;
  const field = wanted.credential === "secret" ? "authTokenClientSecret" : "authTokenPrivateKey";
  return {
    ...client,
    log: async () => (await control("GET", `/log${query}`)).json(),
    revoke: async () => void (await control("POST", `/revoke${query}`)),
    expireTokens: async () => void (await control("POST", `/expire${query}`)),
    settings: {
      authType: "token",
      authTokenUrl: TOKEN_URL,
      authTokenClientId: clientId,
      authTokenScope: "smtp",
      user: wanted.mailbox,
      [field]: `${credential}${certificate}`,
    },
  };
}

/** A mail server that validates tokens, as tests see it. */
export interface TokenMailServer {
  port: number;
  messages(): Promise<ReceivedMail[]>;
  /** Connections so far. */
  connections(): Promise<number>;
}

/** Starts a mail server that accepts tokens of the OAuth server. */
export async function tokenMailServer(request: MailServerRequest = {}): Promise<TokenMailServer> {
  const { port } = await (await control("POST", "/mail-servers", request)).json<{ port: number }>();
  const state = async () =>
    (await control("GET", `/mail-servers?port=${port}`)).json<{
      messages: ReceivedMail[];
      connections: number;
    }>();
  return {
    port,
    messages: async () => (await state()).messages,
    connections: async () => (await state()).connections,
  };
}

async function control(method: string, path: string, body?: object): Promise<Response> {
  const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`${OAUTH_CONTROL_ORIGIN}${path}`, init);
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response;
}
