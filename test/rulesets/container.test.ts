import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { processLimits } from "../../src/containers/process-limits.ts";

const podman = (...args: string[]) => {
  // It looks for logins in the folder that this names, and fails where there is none.
  const { DOCKER_CONFIG: _, ...env } = process.env;
  return execFileSync("podman", args, { encoding: "utf8", env });
};

it.each([
  ["by its launcher", "js", "yes"],
  ["without it where the base has no readlink", "bare", undefined],
])("a program in the shape of js_binary runs in its image, from any folder: %s", (_, name, bootstrapped) => {
  const loaded = podman("load", "--quiet", "--input", join(import.meta.dirname, `${name}_default_image.tar`));
  const image = loaded.trim().replace(/^Loaded image: /, "");
  try {
    const { files, processes } = processLimits() ?? {};
    const limits = files ? [`--ulimit=nofile=${files}:${files}`, `--ulimit=nproc=${processes}:${processes}`] : [];
    const expected = {
      label: "@badge/label",
      express: "express",
      note: "A note.",
      ...(bootstrapped ? { bootstrapped } : {}),
      arguments: ["--help", "a b"],
    };
    for (const folder of [[], ["--workdir=/"]]) {
      const stdout = podman("run", "--rm", "--network=none", ...folder, ...limits, image, "--help", "a b");
      expect(JSON.parse(stdout)).toEqual(expected);
    }
  } finally {
    podman("rmi", "--force", image);
  }
});
