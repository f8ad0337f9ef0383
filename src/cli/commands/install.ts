import { readdir, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Failure } from "../../core/errors.ts";
import { userPath } from "../../core/user-path.ts";
import { command } from "../command.ts";
import { configurationLines } from "../install/lines.ts";
import { installPrograms } from "../install/programs.ts";
import { required } from "./options.ts";

const helpers = [
  "docker-credential-slipway",
  "git-credential-slipway",
  "git-ssh-slipway",
  "bazel-credential-slipway",
] as const;

/** The build and an installation lay out the bundles in the same way. */
const commandLine = "slipway.bundle";
const helperBundle = "credential_helpers.bundle";
const registryServer = "registry_server.mjs";
const page = "ui_page.mjs";

export const install = command(
  { dir: required("Folder to install into, preferably on PATH; created if missing. Needs 150 MB") },
  async ({ dir }) => {
    const folder = userPath(dir);
    const bundles = await bundleFolder();
    const files = [registryServer, page];
    for (const bundle of [commandLine, helperBundle]) {
      for (const name of await readdir(join(bundles, bundle))) files.push(`${bundle}/${name}`);
    }
    await installPrograms(folder, {
      node: process.execPath,
      bundles,
      files,
      executables: {
        slipway: [`${commandLine}/main.mjs`],
        ...Object.fromEntries(helpers.map((name) => [name, [`${helperBundle}/helpers-main.mjs`, name]])),
      },
    });
    process.stderr.write(`Installed slipway, ${helpers.join(", ")} into ${folder}.\n\n`);
    const isOnPath = (process.env["PATH"] ?? "").split(delimiter).includes(folder);
    process.stdout.write(configurationLines(folder, isOnPath));
  },
  (yargs) =>
    yargs.example(
      "$0 install ~/.local/bin",
      "Install programs that you, docker, podman, git and Bazel can run without Bazel",
    ),
);

async function bundleFolder(): Promise<string> {
  const here = await realpath(dirname(fileURLToPath(import.meta.url)));
  if (here.endsWith(`/${commandLine}`)) return dirname(here);
  throw new Failure(
    { code: "installation-failed", culprit: here },
    "This slipway runs from its sources, so it cannot install itself.",
    "Run it with `bazel run @slipway//:slipway -- install DIR`.",
  );
}
