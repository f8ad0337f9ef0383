import { spawnSync } from "node:child_process";
import { Failure, UserError } from "../oci/errors.ts";

/**
 * Asks the helper whether the engine chosen can pull images from where they will be.
 *
 * @throws UserError, Failure with what the helper says
 */
export function checkImages(
  helper: string,
  images: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): void {
  const { status, stderr, error } = spawnSync(helper, ["check", ...images], { env, encoding: "utf8" });
  if (status === 0) return;
  const [problem = "", ...remedy] = (error?.message ?? stderr)
    .trim()
    .replace(/^slipway: /, "")
    .split("\n");
  throw new (status === 2 ? UserError : Failure)(problem, remedy.join("\n"));
}
