import { UserError } from "../oci/errors.ts";
import { minorOf } from "./model.ts";
import type { ForeignTarget } from "./pip.ts";

/** Processors by their name in images: their name in wheels, the first glibc that wheels may ask for, and conda's name. */
const machines: Readonly<Record<string, { wheels: string; oldestGlibc: number; conda: string }>> = {
  amd64: { wheels: "x86_64", oldestGlibc: 5, conda: "linux-64" },
  arm64: { wheels: "aarch64", oldestGlibc: 17, conda: "linux-aarch64" },
  ppc64le: { wheels: "ppc64le", oldestGlibc: 17, conda: "linux-ppc64le" },
  s390x: { wheels: "s390x", oldestGlibc: 17, conda: "linux-s390x" },
};

/** The glibc 2.x that images are taken to have: that of Debian 10 and RHEL 8. */
const glibc = 28;

/** PEP 600's predecessors, by what they mean. */
const oldNames: Readonly<Record<number, string>> = { 5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014" };

/**
 * What packages in an image have to be for.
 *
 * @param python version of the image's interpreter
 * @throws UserError for a platform that there are no wheels for
 */
export function targetOf(python: string, platform: string): ForeignTarget {
  const { wheels, oldestGlibc } = machineOf(platform);
  const tags: string[] = [];
  for (let minor = glibc; minor >= oldestGlibc; minor -= 1) {
    tags.push(`manylinux_2_${minor}_${wheels}`);
    const old = oldNames[minor];
    if (old !== undefined) tags.push(`${old}_${wheels}`);
  }
  tags.push(`linux_${wheels}`);
  const full = python.split(".").length === 2 ? `${python}.0` : python;
  return {
    python,
    platform,
    tags,
    markers: {
      implementation_name: "cpython",
      implementation_version: full,
      os_name: "posix",
      platform_machine: wheels,
      platform_python_implementation: "CPython",
      platform_release: "",
      platform_system: "Linux",
      platform_version: "",
      python_full_version: full,
      python_version: minorOf(python),
      sys_platform: "linux",
    },
  };
}

/** Conda's name of a platform. */
export function condaPlatform(platform: string): string {
  return machineOf(platform).conda;
}

function machineOf(platform: string): { wheels: string; oldestGlibc: number; conda: string } {
  const [os = "", architecture = ""] = platform.split("/");
  const machine = machines[architecture];
  if (os === "linux" && machine) return machine;
  throw new UserError(
    `An environment cannot be made for ${platform}.`,
    `Set \`platform\` to one of ${Object.keys(machines)
      .map((name) => `linux/${name}`)
      .join(", ")}.`,
  );
}
