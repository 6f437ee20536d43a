import { startMiniflare } from "./miniflare.ts";

const miniflare = startMiniflare(JSON.parse(process.argv[2] ?? ""));

process.on("disconnect", async () => {
  // Errors from here on are caused by the shutdown.
  process.on("uncaughtException", () => {});
  await miniflare.dispose();
  process.exit();
});

const { port } = await miniflare.ready;
process.send?.(Number(port));
