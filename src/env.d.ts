// `wrangler types` knows required secrets only.
interface Env {
  /** A private JWK: see `parseClientKey` in `config.ts`. */
  INTROSPECTION_KEY?: string;
}
