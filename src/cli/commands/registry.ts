import type { Argv } from "yargs";

const json = { type: "boolean", default: false, describe: "Machine-readable output" } as const;

/** Commands for the embedded registry. What they need is loaded when one of them runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command("serve", "Run the registry in the foreground, until interrupted", {}, async () =>
      (await import("./registry-serve.ts")).serveInForeground(),
    )
    .command("ls", "List images with their digests and sizes", { json }, async (options) =>
      (await import("./registry-store.ts")).list(options),
    )
    .command("status", "Show whether the registry runs, where, and what it holds", { json }, async (options) =>
      (await import("./registry-control.ts")).showStatus(options),
    )
    .command(
      "gc",
      "Remove what nothing names: blobs after an hour, uploads after a day, images without a tag after a week without use",
      { json },
      async (options) => (await import("./registry-store.ts")).collect(options),
    )
    .command("stop", "Stop the registry; the next push starts it again", {}, async () =>
      (await import("./registry-control.ts")).stop(),
    )
    .command(
      "token <repository>",
      "Print a token: password of the user `token` for engines and tools",
      (command) =>
        command
          .positional("repository", { type: "string", demandOption: true, describe: "The one that it opens" })
          .option("push", { type: "boolean", default: false, describe: "Lets it push and delete too" })
          .option("minutes", { type: "number", default: 15, describe: "How long it is valid, at most a day" })
          .example(
            "$0 registry token REPO | podman login --tls-verify=false -u token --password-stdin localhost:PORT",
            "Let podman pull; `skopeo login` and `crane auth login` take the same, and no process list shows the token",
          ),
      async (options) => (await import("./registry-control.ts")).printToken(options),
    )
    .demandCommand(1, "slipway registry needs a command.");
}
