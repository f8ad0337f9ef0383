import type { Argv } from "yargs";
import { flag, json, required } from "./options.ts";

/** Commands for the embedded registry. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("serve", "Run the registry in the foreground until interrupted", {}, async () =>
      (await import("./registry-serve.ts")).serveInForeground(),
    )
    .command("ls", "List images with their digests and sizes", { json }, async (options) =>
      (await import("./registry-store.ts")).list(options),
    )
    .command("status", "Show whether it runs, its address and its number of images", { json }, async (options) =>
      (await import("./registry-control.ts")).showStatus(options),
    )
    .command(
      "gc",
      "Remove unused data: blobs after an hour, uploads after a day, untagged images after a week",
      {
        json,
        now: flag("Do not wait: also remove untagged images, blobs and uploads that no connected client has used"),
      },
      async (options) => (await import("./registry-store.ts")).collect(options),
    )
    .command("stop", "Stop the registry; the next push starts it again", {}, async () =>
      (await import("./registry-control.ts")).stop(),
    )
    .command(
      "token <repository>",
      "Print a token: the password of user `token`",
      (command) =>
        command
          .positional("repository", required("Repository that the token gives access to"))
          .option("push", flag("Also allow pushing and deleting"))
          .option("minutes", {
            type: "number",
            default: 15,
            describe: "Minutes until it expires, at most 1440 (a day)",
          })
          .example(
            "$0 registry token REPO | podman login --tls-verify=false -u token --password-stdin localhost:PORT",
            "Let podman pull; `skopeo login` and `crane auth login` work the same way, without the token in the process list",
          ),
      async (options) => (await import("./registry-control.ts")).printToken(options),
    )
    .demandCommand(1, "slipway registry needs a command.");
}
