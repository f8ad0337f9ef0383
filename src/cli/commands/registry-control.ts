import { askStatus, stopServer } from "../../registry-server/client.ts";
import { requestToken } from "../../registry-server/ensure.ts";
import { registryPaths, socketExists } from "../../registry-server/paths.ts";
import { runningRegistry } from "../../registry-server/running.ts";
import { command } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { flag, json, number, required } from "./options.ts";
import { printJson } from "./output.ts";
import { listedImages } from "./registry-store.ts";

export const stop = command({}, async () => {
  const stopped = await stopServer(registryPaths());
  process.stderr.write(stopped ? "The embedded registry stops.\n" : "The embedded registry is not running.\n");
});

/** Does not start the registry. */
export const status = command({ json }, async ({ json }) => {
  const paths = registryPaths();
  const running = (await socketExists(paths)) ? await askStatus(paths.socket) : undefined;
  const images = await listedImages();
  const found = {
    running: running !== undefined,
    ...(running && { host: running.host, pid: running.pid }),
    folder: paths.data,
    images: images.length,
  };
  if (json) return printJson(found);
  const where = running ? `runs: ${running.host}, process ${running.pid}` : "is not running; the next push starts it";
  const count = `${images.length} ${images.length === 1 ? "image" : "images"}`;
  process.stdout.write(`The embedded registry ${where}.\n${count} in ${paths.data}.\n`);
});

/** For one repository. Starts the registry if it is not running. */
export const token = command(
  {
    repository: required("Repository that the token gives access to"),
    push: flag("Also allow pushing and deleting"),
    minutes: { ...number("Minutes until it expires, at most 1440 (a day)"), default: 15 },
  },
  async ({ repository, push, minutes }) => {
    const ttlSeconds = Math.round(minutes * 60);
    if (!(ttlSeconds >= 1)) {
      const remedy = "Give a number of minutes, for example --minutes 15.";
      throw optionError("--minutes", `--minutes ${minutes} is not a time.`, remedy);
    }
    const registry = await runningRegistry();
    const actions = [push ? ("push" as const) : ("pull" as const)];
    const { token, expiresAt } = await requestToken(registry.socketPath, { repository, actions, ttlSeconds });
    process.stderr.write(`For ${registry.host}/${repository}, user token, valid until ${expiresAt}:\n`);
    process.stdout.write(`${token}\n`);
  },
  (yargs) =>
    yargs.example(
      "$0 registry token REPO | podman login --tls-verify=false -u token --password-stdin localhost:PORT",
      "Let podman pull; `skopeo login` and `crane auth login` work the same way, without the token in the process list",
    ),
);
