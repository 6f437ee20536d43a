/** Time limit of one request to Keycloak, body included, in milliseconds. */
export const KEYCLOAK_TIMEOUT_MS = 10_000;

/** Largest realm, in bytes. Keycloak's has some 6 KiB, without its own attributes and browser headers. */
export const REALM_MAX_BYTES = 1024 * 1024;
