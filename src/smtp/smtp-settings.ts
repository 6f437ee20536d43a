/** How to connect and authenticate to an SMTP server. */
export interface SmtpSettings {
  /** As returned by `parseHost`. */
  host: string;
  port: number;
  starttls: boolean;
  ssl: boolean;
  /** `false`: do not send user and password. */
  auth?: boolean | undefined;
  user?: string | undefined;
  password?: string | undefined;
  /** Time limits of Keycloak's clients, in milliseconds; 0 is none. See `timeoutsFor`. */
  connectionTimeout?: number | undefined;
  timeout?: number | undefined;
  writeTimeout?: number | undefined;
}
