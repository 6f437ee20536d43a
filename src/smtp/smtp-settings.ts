/** How to connect and authenticate to an SMTP server. */
export interface SmtpSettings {
  /** As returned by `parseHost`. */
  host: string;
  port: number;
  starttls: boolean;
  ssl: boolean;
  /** `false`: do not authenticate. */
  auth?: boolean | undefined;
  /** `token`: authenticate with an access token in place of the password. */
  authType?: "basic" | "token" | undefined;
  user?: string | undefined;
  password?: string | undefined;
  /** Time limits of Keycloak's clients, in milliseconds; 0 is none. See `timeoutsFor`. */
  connectionTimeout?: number | undefined;
  timeout?: number | undefined;
  writeTimeout?: number | undefined;
}

/** Whether the session authenticates with these settings. */
export function authenticates({ auth, authType, user, password }: SmtpSettings): boolean {
  return auth !== false && user !== undefined && (authType === "token" || password !== undefined);
}
