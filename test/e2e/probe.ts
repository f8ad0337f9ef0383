import type { Workspace } from "./workspace.ts";

const program = `
import { createInterface } from "node:readline";

const [wish = "", ...rest] = process.argv.slice(2);
if (wish === "exit") process.exit(Number(rest[0]));
else if (wish === "wait") {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      process.stdout.write(\`got \${signal}\\n\`, () => process.exit(43));
    });
  }
  setInterval(() => {}, 1000);
  console.log("waiting");
} else {
  let stdin = "";
  for await (const line of createInterface({ input: process.stdin })) stdin += line;
  console.log(JSON.stringify({ arguments: process.argv.slice(2), stdin, folder: process.cwd(), environment: process.env, version: "one" }));
}
`;

const build = `
load("//bazel:defs.bzl", "image", "pipeline")

image(name = "empty")

image(
    name = "labelled",
    labels = {"what": "another base"},
)

pipeline(
    name = "probe",
    base = ":empty",
    bases = {"slim": ":labelled"},
    image_env = ["OTHER_IMAGE_URIS"],
    visibility = ["//visibility:public"],
)
`;

/** What a probe prints when it is asked nothing else. */
export interface Seen {
  readonly arguments: readonly string[];
  readonly stdin: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
}

/** Writes a pipeline `//probe` of two images, whose program tells how it was started. */
export function writeProbe(workspace: Workspace): void {
  workspace.write({ "probe/BUILD.bazel": build, "probe/probe.ts": program });
}

/** Edits one line of the probe's entry point. */
export function editProbe(workspace: Workspace, version: string): void {
  workspace.write({ "probe/probe.ts": program.replace('"one"', JSON.stringify(version)) });
}

export function readSeen(stdout: string): Seen {
  return JSON.parse(stdout) as Seen;
}
