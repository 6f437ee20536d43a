// The package has no types of its own. Only what the tests use.
declare module "oidc-provider" {
  interface Token {
    clientId: string;
    save(ttlSeconds: number): Promise<string>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    /** Whether to trust X-Forwarded-Proto and X-Forwarded-Host. */
    proxy: boolean;
    callback(): import("node:http").RequestListener;
    readonly Client: { find(id: string): Promise<object | undefined> };
    readonly ClientCredentials: new (input: {
      client: object;
      scope: string;
    }) => Token;
  }
}
