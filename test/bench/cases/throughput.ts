import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { writeLayout } from "../layouts.ts";
import { interleave, isInstalled, type Result, resultOf, run } from "../measure.ts";
import { moduleOf, Workspace } from "../workspace.ts";

const shapes = {
  push_1_gib: { layers: [1 << 30], what: "one blob of 1 GiB" },
  push_2000_blobs: { layers: Array.from({ length: 2000 }, () => 10_240), what: "2,000 blobs of 10 KB" },
};

/** Case 7: pushing to a registry on this machine, every time to a repository that has none of it. */
export async function throughputCases(context: BenchContext): Promise<Result[]> {
  const workspace = new Workspace(context.repository, context.scratch, "throughput");
  const layouts = Object.entries(shapes).map(([name, { layers }], index) => {
    const folder = join(context.scratch, name);
    writeLayout(folder, layers, Date.now() + index);
    return { name, folder };
  });
  workspace.write({
    "MODULE.bazel": moduleOf(
      context.repository,
      `base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
${layouts.map(({ name, folder }) => `base_images.layout(name = "${name}", path = "${folder}")\nuse_repo(base_images, "${name}")\n`).join("")}`,
    ),
    "BUILD.bazel": `load("@slipway//bazel:defs.bzl", "image_push")
${layouts.map(({ name }) => `image_push(name = "${name}", images = ["@${name}//image"], repository = "${name}")\n`).join("")}`,
  });
  const results: Result[] = [];
  try {
    workspace.bazel("build", ...layouts.map(({ name }) => `//:${name}`));
    for (const { name, folder } of layouts) {
      const { what } = shapes[name as keyof typeof shapes];
      context.tell(`push of ${what}`);
      const place = (tool: string, round: number) =>
        `${context.registry.host}/${name.replaceAll("_", "-")}/${tool}-${round}`;
      const push = join(workspace.folder, "bazel-bin", name);
      const environment = { ...workspace.env };
      const peers: Record<string, (round: number) => string[]> = {
        crane: (round) => ["crane", "push", "--insecure", folder, `${place("crane", round)}:x`],
        skopeo: (round) => [
          "skopeo",
          "copy",
          "-q",
          "--dest-tls-verify=false",
          `oci:${folder}`,
          `docker://${place("skopeo", round)}:x`,
        ],
      };
      const installed = Object.entries(peers).filter(([tool]) => isInstalled(tool));
      const samples = await interleave(
        {
          ours: {
            run: (round) => {
              const [host = "", ...path] = place("slipway", round).split("/");
              run([push, "--registry", host, "--repository", path.join("/"), "--tag", "x"], { env: environment });
            },
          },
          ...Object.fromEntries(
            installed.map(([tool, words]) => [
              tool,
              { run: (round: number) => void run(words(round), { env: environment }) },
            ]),
          ),
        },
        context.rounds,
      );
      // The floor is the quickest peer.
      const quickest = installed
        .map(([tool]) => samples[tool] ?? [])
        .sort((a, b) => Math.min(...a) - Math.min(...b))[0];
      results.push(
        resultOf(
          name,
          { ...samples, floor: quickest ?? samples["ours"] ?? [] },
          "at least the throughput of crane and skopeo",
          (time, least) => installed.length > 0 && time <= least,
        ),
      );
    }
  } finally {
    workspace.stop();
  }
  return results;
}
