/**
 * `smtpServer` as the admin console of Keycloak 26.7.3 sends it, within the realm, to
 * `PUT /admin/realms/{realm}/ui-ext`: flags are strings, untouched time limits are numbers, and empty fields are "".
 */
export const CONSOLE_SETTINGS = {
  from: "sender@example.com",
  fromDisplayName: "",
  replyTo: "",
  replyToDisplayName: "",
  envelopeFrom: "",
  host: "smtp.example.com",
  port: "587",
  ssl: "false",
  starttls: "true",
  auth: "true",
  user: "sender@example.com",
  authType: "basic",
  password: "app-password",
  allowutf8: "",
  connectionTimeout: 10_000,
  timeout: "5000",
  writeTimeout: 10_000,
  debug: "false",
};

/** The same after a read: empty fields are absent, flags are booleans, and the password is masked. */
export const CONSOLE_SETTINGS_AS_READ = {
  from: "sender@example.com",
  host: "smtp.example.com",
  port: "587",
  ssl: false,
  starttls: true,
  auth: true,
  user: "sender@example.com",
  authType: "basic",
  password: "**********",
  connectionTimeout: 10_000,
  timeout: 5_000,
  writeTimeout: 10_000,
  debug: false,
};
