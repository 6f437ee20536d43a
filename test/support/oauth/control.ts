import type { MailServerSettings } from "../smtp/mail-server.ts";

/** The OAuth server, as the Worker under test sees it. */
export const OAUTH_ORIGIN = "https://login.oauth.test";

/** Client credentials, of a real server. */
export const TOKEN_URL = `${OAUTH_ORIGIN}/token`;

/** JWT bearer grants (RFC 7523 section 2.1). */
export const JWT_BEARER_URL = `${OAUTH_ORIGIN}/jwt-bearer`;

/**
 * Where tests register clients (POST `/clients`), remove one or expire its tokens (POST `/revoke`, `/expire`), start
 * mail servers (POST `/mail-servers`), and read what happened (GET `/log`, `/mail-servers`).
 */
export const OAUTH_CONTROL_ORIGIN = "https://oauth-control.test";

/** Which client to register. */
export interface ClientRequest {
  credential: "secret" | "key" | "certificate";
  /** How the server takes its secret (RFC 7591 section 2). Default: in the body. */
  method?: "client_secret_post" | "client_secret_basic";
  /** JWS algorithm of the key. */
  alg?: "RS256" | "ES256";
  /** Address of the mailbox that its tokens are for. */
  mailbox: string;
  /** Length of its tokens. */
  tokenCharacters?: number;
  /** Lifetime of its tokens. */
  expiresInSeconds?: number;
}

/** A registered client. */
export interface RegisteredClient {
  clientId: string;
  /** The secret, or the private key in PEM. */
  credential: string;
  /** In PEM, for a key with a certificate. */
  certificate?: string;
}

/** A token request, and its result. */
export interface TokenLogEntry {
  clientId: string | undefined;
  grantType: string | null;
  scope: string | null;
  /** Names of the form's parameters. */
  parameters: string[];
  /** Whether the client authenticates by HTTP Basic (RFC 6749 section 2.3.1). */
  basic?: true;
  /** Header and claims of an assertion. */
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  status: number;
  error?: string;
}

/**
 * A mail server that validates access tokens by introspection: by default smtp-server, which offers XOAUTH2; Dovecot
 * with these mechanisms, if installed.
 */
export type MailServerRequest = MailServerSettings & { dovecot?: string[] };
