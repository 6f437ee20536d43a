import { startMiniflare, type WorkerOptions } from "../lib/miniflare.ts";

/** What a Worker in workerd is started with. */
export type WorkerdOptions = WorkerOptions & {
  /** Number of tenants to store before serving. */
  population?: number;
};

const { population, ...options } = JSON.parse(process.argv[2] ?? "") as WorkerdOptions;
const miniflare = startMiniflare(options);

// Whoever started this process has ended, or wants it to end.
process.on("disconnect", async () => {
  // What fails because the end has begun is no news.
  process.on("uncaughtException", () => {});
  await miniflare.dispose();
  process.exit();
});

const { port } = await miniflare.ready;
if (population !== undefined) {
  const seeder = await miniflare.getWorker("seeder");
  const answer = await seeder.fetch(`https://seeder.example/?tenants=${population}`);
  if (!answer.ok) throw new Error(`the seeder answered ${answer.status}: ${await answer.text()}`);
}
process.send?.({ port: Number(port) });
