import { type ServerRecord, type ServerTime, SIMULATION_ORIGIN, type SimulatedServer } from "./control.ts";

/** The server of a scenario, as the simulation sees it. */
export interface ControlledServer {
  port: number;
  setTime(time: ServerTime): Promise<void>;
  record(): Promise<ServerRecord>;
  close(): Promise<void>;
}

/** Starts the server of a scenario. */
export async function startServer(wanted: SimulatedServer): Promise<ControlledServer> {
  const { port } = await (await send(SIMULATION_ORIGIN, "POST", wanted)).json<{ port: number }>();
  const address = `${SIMULATION_ORIGIN}?port=${port}`;
  return {
    port,
    setTime: async (time) => void (await send(address, "PUT", time)),
    record: async () => (await send(address, "GET")).json(),
    close: async () => void (await send(address, "DELETE")),
  };
}

async function send(address: string, method: string, body?: object): Promise<Response> {
  const response = await fetch(address, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response;
}
