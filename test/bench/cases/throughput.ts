import { rmSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../context.ts";
import { writeLayout } from "../layouts.ts";
import { type Contestant, interleave, isInstalled, type Result, resultOf, run } from "../measure.ts";
import { type PeerRegistry, startPeerRegistry } from "../registries.ts";
import { moduleOf, Workspace } from "../workspace.ts";

const shapes = {
  push_1_gib: { layers: [1 << 30], what: "one blob of 1 GiB" },
  push_2000_blobs: { layers: Array.from({ length: 2000 }, () => 10_240), what: "2,000 blobs of 10 KB" },
};

/**
 * Case 7: pushing to a registry on this machine, every time to a new one, since tools remember where a blob can be
 * mounted from.
 */
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
      let registry: PeerRegistry | undefined;
      const storage = join(context.scratch, `${name}.registry`);
      const stop = async () => {
        await registry?.stop();
        rmSync(storage, { recursive: true, force: true });
      };
      const contestant = (words: (host: string) => string[]): Contestant => ({
        prepare: async () => {
          await stop();
          registry = await startPeerRegistry(storage);
        },
        run: () => void run(words(registry?.host ?? ""), { env: workspace.env }),
      });
      const push = join(workspace.folder, "bazel-bin", name);
      const peers: Record<string, (host: string) => string[]> = {
        crane: (host) => ["crane", "push", "--insecure", folder, `${host}/${name}:x`],
        skopeo: (host) => [
          "skopeo",
          "copy",
          "-q",
          "--dest-tls-verify=false",
          `oci:${folder}`,
          `docker://${host}/${name}:x`,
        ],
      };
      const installed = Object.keys(peers).filter(isInstalled);
      const samples = await interleave(
        {
          ours: contestant((host) => [push, "--registry", host, "--repository", name, "--tag", "x"]),
          ...Object.fromEntries(
            Object.entries(peers).flatMap(([tool, words]) =>
              installed.includes(tool) ? [[tool, contestant(words)]] : [],
            ),
          ),
        },
        context.rounds,
      );
      await stop();
      // The floor is the quickest peer.
      const quickest = installed.map((tool) => samples[tool] ?? []).sort((a, b) => Math.min(...a) - Math.min(...b))[0];
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
