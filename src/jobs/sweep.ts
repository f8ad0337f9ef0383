import type { Environment } from "../core/environment.ts";
import { shellQuote } from "../core/shell-quote.ts";
import { parseImageConfig } from "../oci/config.ts";
import { SourceImage } from "../registry/source-image.ts";
import { dimensions, indexVariable, type Matrix } from "./matrix.ts";
import type { Program } from "./program.ts";

/** A shell sets the variables of the pod's item, so that one pod template serves all items of a matrix. */
export async function itemProgram(
  program: Program,
  { platform, env }: { readonly platform: string | undefined; readonly env: Environment },
): Promise<Program> {
  const { matrix, image, entrypoint, argv } = program;
  if (matrix === undefined || image === undefined) return program;
  const command = entrypoint === undefined ? await commandOf(image, argv, platform, env) : [entrypoint, ...argv];
  return { ...program, entrypoint: "/bin/sh", argv: ["-c", `${itemScript(matrix)}exec "$@"`, "sh", ...command] };
}

async function commandOf(
  image: string,
  argv: readonly string[],
  platform: string | undefined,
  env: Environment,
): Promise<readonly string[]> {
  using source = new SourceImage({ image, env, ...(platform === undefined ? {} : { platform }) });
  const { config = {} } = parseImageConfig((await source.read()).config, `Configuration of ${image}`);
  const { Entrypoint, Cmd } = config;
  return [...(Entrypoint ?? []), ...(argv.length > 0 ? argv : (Cmd ?? []))];
}

export function itemScript(matrix: Matrix): string {
  return dimensions(matrix)
    .map(({ name, values, run }) => {
      const cases = values.map((value, index) => `${index}) ${name}=${shellQuote(value)};;`).join(" ");
      return `case $((${indexVariable} / ${run} % ${values.length})) in ${cases} esac\nexport ${name}\n`;
    })
    .join("");
}
