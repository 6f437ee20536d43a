import { newAuthority, trust } from "../smtp/certificates.ts";
import { type MailServer, startMailServer } from "../smtp/mail-server.ts";
import { type ClientRequest, type MailServerRequest, OAUTH_CONTROL_ORIGIN, OAUTH_ORIGIN } from "./control.ts";
import { startDovecot } from "./dovecot.ts";
import { startOAuthServer } from "./oauth-server.ts";

/**
 * A real OAuth server, and on demand Dovecot, which validates its tokens. Tests run in workerd, and control them over
 * HTTP.
 *
 * @param dovecotPath the path of Dovecot, if installed
 * @returns the handler of requests to the origins of `control.ts`, and whether a request is one
 */
export async function oauthTestServers(dovecotPath: string | undefined): Promise<{
  handles(request: Request): boolean;
  respond(request: Request): Promise<Response>;
}> {
  const authority = await newAuthority();
  trust(authority);
  const oauth = await startOAuthServer();
  const mailServers = new Map<number, MailServer>();

  async function start({ dovecot: mechanisms, ...settings }: MailServerRequest): Promise<MailServer> {
    const { introspectionUrl, isValid } = oauth;
    if (mechanisms === undefined) {
      return startMailServer({ mechanisms: ["XOAUTH2"], ...settings }, authority.trusted, isValid);
    }
    if (dovecotPath === undefined) throw new Error("Dovecot is not installed");
    return startDovecot(dovecotPath, { mechanisms, introspectionUrl }, authority.trusted);
  }

  async function control(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const clientId = searchParams.get("clientId") ?? "";
    switch (`${request.method} ${pathname}`) {
      case "POST /clients":
        return Response.json(await oauth.register((await request.json()) as ClientRequest));
      case "POST /revoke":
        oauth.revoke(clientId);
        return new Response(null, { status: 204 });
      case "POST /expire":
        oauth.expireTokens(clientId);
        return new Response(null, { status: 204 });
      case "GET /log":
        return Response.json(oauth.log.filter((entry) => entry.clientId === clientId));
      case "POST /mail-servers": {
        const server = await start((await request.json()) as MailServerRequest);
        mailServers.set(server.port, server);
        return Response.json({ port: server.port });
      }
      case "GET /mail-servers": {
        const server = mailServers.get(Number(searchParams.get("port")));
        return Response.json({ messages: server?.messages, connections: server?.connections() });
      }
      default:
        return new Response("not found", { status: 404 });
    }
  }

  return {
    handles: ({ url }) => [OAUTH_ORIGIN, OAUTH_CONTROL_ORIGIN].includes(new URL(url).origin),
    respond: (request) =>
      new URL(request.url).origin === OAUTH_ORIGIN ? oauth.respond(request) : control(request),
  };
}
