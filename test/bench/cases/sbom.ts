import type { BenchContext } from "../context.ts";
import { type Contestant, interleave, type Result, resultOf } from "../measure.ts";
import { type BaseImage, editProgram, writeShape } from "../shape.ts";
import { Workspace } from "../workspace.ts";

/** Bytes never seen before, in this run or an earlier one. */
let edits = Date.now();

interface Edited extends Contestant {
  readonly workspace: Workspace;
  readonly prepare: () => void;
  readonly run: () => void;
}

/** One line edited, with SBOMs and without: a launch, which attaches nothing, and a push, which attaches the SBOM. */
export async function* sbomCases(context: BenchContext, base: BaseImage): AsyncGenerator<Result> {
  const contestants = (["spdx", "none"] as const).map((format) => {
    const workspace = new Workspace(context.repository, context.scratch, `sbom-${format}`);
    writeShape(workspace, context.release, base);
    return { workspace, flag: `--@slipway//bazel/settings:sbom=${format}` };
  });
  const targets = { launch: "//app:main", push: "//app:main_push" };
  try {
    for (const [name, target] of Object.entries(targets)) {
      context.tell(`SBOM: one line edited: ${name}`);
      const [ours, floor] = contestants.map(({ workspace, flag }) => ({
        workspace,
        prepare: () => editProgram(workspace, `edit ${edits++}`),
        run: () => void workspace.bazel("run", flag, target),
      })) as [Edited, Edited];
      for (const { run } of [ours, floor]) run();
      const samples = await interleave({ ours, floor }, context.rounds);
      const [sent = 0, least = 0] = [ours, floor].map(({ workspace, prepare, run }) => {
        prepare();
        return workspace.requestsDuring(run).reduce((sum, { received }) => sum + received, 0);
      });
      yield resultOf(
        `sbom_${name}`,
        samples,
        `at most 1.05 of the time without an SBOM${name === "launch" ? ", and of the bytes" : ""}`,
        (time, other) => time <= 1.05 * other && (name === "push" || sent <= 1.05 * least),
        { bytes_sent: sent, bytes_sent_without: least },
      );
    }
  } finally {
    for (const { workspace } of contestants) workspace.stop();
  }
}
