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
}
