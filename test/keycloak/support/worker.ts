import { type ReceivedResponse, sendRequest, ssmsUrl } from "../../../scripts/lib/http-client.ts";
import { SAMPLE_SETTINGS } from "../../../scripts/lib/sample-settings.ts";
import { readSuite, type WorkerName } from "./suite.ts";

/** A client of one Worker, in the SSMS family. */
export class WorkerClient {
  readonly #port: number;

  constructor(name: WorkerName) {
    this.#port = readSuite().workers[name];
  }

  /** @param query begins with `?` */
  save(
    tenant: string,
    token: string,
    settings: object = SAMPLE_SETTINGS,
    query = "",
  ): Promise<ReceivedResponse> {
    return sendRequest("POST", this.#url(tenant) + query, { token, body: settings });
  }

  read(tenant: string, token: string): Promise<ReceivedResponse> {
    return sendRequest("GET", this.#url(tenant), { token });
  }

  delete(tenant: string, token: string): Promise<ReceivedResponse> {
    return sendRequest("DELETE", this.#url(tenant), { token });
  }

  test(tenant: string, token: string): Promise<ReceivedResponse> {
    return sendRequest("POST", ssmsUrl("https", this.#port, tenant, "test"), { token });
  }

  history(tenant: string, token: string): Promise<ReceivedResponse> {
    return sendRequest("GET", `${this.#url(tenant)}/history`, { token });
  }

  #url(tenant: string): string {
    return ssmsUrl("https", this.#port, tenant);
  }
}
