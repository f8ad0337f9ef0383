import { UserError } from "../core/errors.ts";
import type { ForeignTarget } from "./pip.ts";

/** Processors by their name in images: their name in wheels, and conda's name. */
const machines: Readonly<Record<string, { wheels: string; conda: string }>> = {
  amd64: { wheels: "x86_64", conda: "linux-64" },
  arm64: { wheels: "aarch64", conda: "linux-aarch64" },
};

/** The oldest glibc of images: that of Debian 10 and RHEL 8. */
const glibc = "manylinux_2_28";

/**
 * The target of packages in an image.
 * @param python version of the image's interpreter
 */
export function targetOf(python: string, platform: string): ForeignTarget {
  return { python, platform, name: `${machineOf(platform).wheels}-${glibc}` };
}

export function condaPlatform(platform: string): string {
  return machineOf(platform).conda;
}

function machineOf(platform: string): { wheels: string; conda: string } {
  const [os = "", architecture = ""] = platform.split("/");
  const machine = machines[architecture];
  if (os === "linux" && machine) return machine;
  const possible = Object.keys(machines).map((name) => `linux/${name}`);
  throw new UserError(
    { code: "field-invalid", culprit: "platform" },
    `An environment cannot be made for ${platform}.`,
    `Set \`platform\` to one of ${possible.join(", ")}.`,
  );
}
