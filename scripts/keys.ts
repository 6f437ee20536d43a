import { newSettingsKeys } from "./lib/settings-keys.ts";

const [command, ...rest] = process.argv.slice(2);

if (command === "new" && rest.length === 0) {
  console.log(newSettingsKeys());
} else {
  console.error(`usage: npm run --silent keys -- new

  new   print a value for the secret SETTINGS_KEYS: a JWK Set with one fresh 256-bit key`);
  process.exitCode = 2;
}
