import { afterAll, describe, expect, it } from "vitest";
import { Registry } from "./registry.ts";
import { Workspace } from "./workspace.ts";

const workspace = new Workspace("launch");
const registry = new Registry(workspace);
const report = "//examples/quickstart:report";

afterAll(() => registry.stop());

describe("the quickstart", () => {
  it("prints its image and its result, the same as without an image", async () => {
    const { stdout, stderr, status } = await workspace.bazel(["run", report]);
    expect(status, stderr).toBe(0);
    // Bazel says so of runfiles with one path, and goes on.
    expect(stderr).not.toContain("ERROR");
    expect(stdout).toMatch(/^image: localhost:\d+\/examples\/quickstart@sha256:[0-9a-f]{64}$/m);
    await registry.verifyNamed("examples/quickstart", stdout);
    const both = await workspace.stdout(["run", `${report}_push`, "--", "--references"]);
    await registry.verifyNamed("examples/quickstart", both);
    expect(both.trim().split("\n")).toHaveLength(2);
    expect(await registry.tag("examples/quickstart", "report_default")).toBeUndefined();

    const local = await workspace.stdout(["run", `${report}_local`]);
    expect(local).toMatch(/^image: none/m);
    expect(result(local)).toMatch(/container ships at berth: \d/);
    expect(result(stdout)).toBe(result(local));
  });
});

describe("its help", () => {
  it("is what follows --", async () => {
    expect(await workspace.stdout(["run", report, "--", "--help"])).toMatch(/^A month at a port: .*\n\nOptions:\n/);
  });
});

/** What it computed, without where. */
function result(stdout: string): string {
  return stdout.slice(stdout.indexOf("\n\n"));
}

describe("report and report_local", () => {
  it("share every action that is not an image's or its push's", async () => {
    const shared = await actions(`${report}_local`);
    const all = await actions(report);
    expect(shared.length).toBeGreaterThan(3);
    // The script that starts the program, and its runfiles.
    const others = shared.filter((action) => !all.includes(action));
    expect(others.filter((action) => !/\breport_U?local\b|Sreport_Ulocal/.test(action))).toEqual([]);
    const own = all.filter((action) => !shared.includes(action));
    expect(own.filter((action) => action.startsWith("ImageLayer ")).length).toBeGreaterThan(3);
    // The tools that it carries; nothing of the program is built again, in another configuration for instance.
    const bundles = own.filter((action) => action.startsWith("TypeScript"));
    expect(bundles.filter((action) => !action.includes("/bin/src/"))).toEqual([]);
  });

  it("the local one asks for no action of an image", async () => {
    const mnemonics = (await actions(`${report}_local`)).map((action) => action.split(" ")[0] ?? "");
    expect(mnemonics.filter((mnemonic) => /^Image|^Debian|OciLayout/.test(mnemonic))).toEqual([]);
    expect(mnemonics).toContain("TypeScriptBundle");
  });
});

/** `MNEMONIC OUTPUT…` of every action of a target. */
async function actions(target: string): Promise<string[]> {
  const text = await workspace.stdout(["aquery", `deps(${target})`, "--output=jsonproto", "--noinclude_commandline"]);
  const graph = JSON.parse(text) as ActionGraph;
  const fragments = new Map(graph.pathFragments.map((fragment) => [fragment.id, fragment]));
  const path = (id: number | undefined): string => {
    const fragment = id === undefined ? undefined : fragments.get(id);
    return fragment ? `${fragment.parentId ? `${path(fragment.parentId)}/` : ""}${fragment.label}` : "";
  };
  const artifacts = new Map(graph.artifacts.map(({ id, pathFragmentId }) => [id, path(pathFragmentId)]));
  return graph.actions.map(({ mnemonic, outputIds }) =>
    [mnemonic, ...outputIds.map((id) => artifacts.get(id))].join(" "),
  );
}

interface ActionGraph {
  readonly pathFragments: readonly { id: number; label: string; parentId?: number }[];
  readonly artifacts: readonly { id: number; pathFragmentId: number }[];
  readonly actions: readonly { mnemonic: string; outputIds: readonly number[] }[];
}
