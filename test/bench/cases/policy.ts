import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { type Contestant, interleave, type Result, resultOf } from "../measure.ts";
import { moduleOf, Workspace } from "../workspace.ts";

/** Bytes never seen before, in this run or an earlier one. */
let edits = Date.now();

/**
 * Launches of a program that calls a function in a container, with rules for images. `floor` has none, and `signed`
 * only signs. Requests are those of the launcher and of the program: podman's pulls are the same with each file.
 */
export async function* policyCases(context: BenchContext): AsyncGenerator<Result> {
  const workspace = new Workspace(context.repository, context.scratch, "policy");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(join(context.scratch, "my.key"), privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  writeFileSync(join(context.scratch, "my.pub"), publicKey.export({ format: "pem", type: "spki" }));
  const file = join(context.scratch, "config.yaml");
  Object.assign(workspace.env, { SLIPWAY_CONFIG: file, SLIPWAY_ENGINE: "container" });
  const sign = "sign: {key: my.key}";
  const require = "require: {signature: {key: my.pub}}";
  // The embedded registry's name has a port that is not known before it runs.
  const files = {
    ours: `images: {"*": {${sign}, ${require}}}`,
    signed: `images: {"*": {${sign}}}`,
    "rule for another registry": `images: {registry.example.com: {${require}}}`,
    floor: "images: {}",
  };
  const edit = () =>
    workspace.write({
      "main.ts": `import { inImage, main } from "slipway";
const answer = inImage("answer", (): string => "edit ${edits++}");
await main(async () => console.log(await answer()));
`,
    });
  workspace.write({
    "MODULE.bazel": moduleOf(context.release),
    "BUILD.bazel": `load("@slipway//bazel:defs.bzl", "pipeline")\npipeline(name = "main", srcs = ["main.ts"])\n`,
  });
  const run = () => void workspace.bazel("run", "//:main");

  const measure = async (name: string, change: () => void): Promise<Result> => {
    context.tell(`rules for images: ${name.replaceAll("_", " ")}`);
    const prepared = Object.entries(files).map(([key, text]) => {
      const prepare = () => {
        writeFileSync(file, text);
        change();
      };
      return [key, { prepare, run }] as const;
    });
    const samples = await interleave(Object.fromEntries<Contestant>(prepared), context.rounds);
    const counts = Object.fromEntries(
      prepared.map(([key, { prepare }]) => {
        prepare();
        const asked = workspace.requestsDuring(run).filter(({ transport }) => transport === "socket");
        return [`${key.replaceAll(" ", "_")}_requests`, asked.length];
      }),
    );
    const { ours_requests: ours = 0, signed_requests: signed = 0, floor_requests: floor = 0 } = counts;
    return resultOf(
      `policy_${name}`,
      samples,
      "a rule takes at most two requests more, once per image; a rule for another registry none",
      () => ours - signed <= 2 && counts["rule_for_another_registry_requests"] === floor,
      counts,
    );
  };
  try {
    edit();
    // Signed, so that all files allow it.
    writeFileSync(file, files.ours);
    run();
    yield await measure("nothing_changed", () => {});
    yield await measure("one_line_edited", edit);
  } finally {
    workspace.stop();
  }
}
