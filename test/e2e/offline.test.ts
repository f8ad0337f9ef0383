import { expect, it } from "vitest";
import { Workspace } from "./workspace.ts";

const workspace = new Workspace("here");

it("a _local target needs no network once it is built", async () => {
  const target = "//examples/quickstart:report_local";
  await workspace.stdout(["build", target]);
  await workspace.stdout(["shutdown"]);
  // A network of its own, with nothing but a loopback on which Bazel's client finds its server.
  const prefix = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"];
  try {
    const stdout = await workspace.stdout(["run", target], { prefix });
    expect(stdout).toMatch(/^container ships at berth: \d/m);
  } finally {
    await workspace.bazel(["shutdown"], { prefix });
  }
});
