import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { runProgram } from "../core/run-program.ts";
import { cacheFolder } from "../core/user-folders.ts";
import { installerVariables, withoutPasswords } from "./installer-variables.ts";
import { findPip } from "./python.ts";
import { builtOnce } from "./store.ts";

/** uv's wheels on PyPI: for Linux with glibc and musl, and for macOS, each on x86_64 and arm64. */
const requirement = `uv==0.13.9 \\
    --hash=sha256:2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25 \\
    --hash=sha256:5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe \\
    --hash=sha256:66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63 \\
    --hash=sha256:c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5 \\
    --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19 \\
    --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375
`;

interface Uv {
  readonly path: string;
  /** The interpreter that it uses, whose pip installed it. */
  readonly python: string;
  /** With the indexes of pip's configuration, which may contain passwords. */
  readonly env: Readonly<Record<string, string>>;
}

/** The pinned uv, from the user's cache. The machine's pip installs it, and names the indexes. */
export async function findUv(env: Environment, temporary: string): Promise<Uv> {
  const pipEnv = installerVariables(env, temporary);
  const python = await findPip(pipEnv);
  const root = join(cacheFolder(env), "uv");
  const key = createHash("sha256").update(`${requirement}${process.platform} ${process.arch}`).digest("hex");
  const folder = await builtOnce(
    root,
    key,
    (built) => existsSync(join(built, "bin/uv")),
    async (built, scratch) => {
      const file = join(scratch, "requirements.txt");
      await writeFile(file, requirement);
      const options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"];
      const { status, stderr } = await runProgram(
        python,
        ["-m", "pip", "install", ...options, `--target=${built}`, `--requirement=${file}`],
        { env: pipEnv, cwd: scratch },
      );
      if (status === 0) return;
      const isDown = /Retrying \(|NewConnectionError|ProxyError|ConnectTimeout|SSLError|HTTP error 5\d\d/.test(stderr);
      const line = withoutPasswords(stderr)
        .match(/(?<=^ERROR: ).*/gm)
        ?.at(-1);
      const reason = isDown ? "the package index does not answer" : (line ?? "no reason given").replace(/\.$/, "");
      throw new Failure(
        { code: isDown ? "repository-failed" : "environment-failed", culprit: "uv" },
        `pip could not install uv, which installs Python packages: ${reason}.`,
        checkIndex,
      );
    },
  );
  const { stdout } = await runProgram(python, ["-m", "pip", "config", "list"], { env: pipEnv });
  const executable = await runProgram(python, ["-c", "import sys; print(sys.executable)"], { env: pipEnv });
  const cache = join(root, "cache");
  await mkdir(cache, { recursive: true, mode: 0o700 });
  return {
    path: join(folder, "bin/uv"),
    python: executable.stdout.trim(),
    env: { ...pipEnv, ...indexVariables(stdout), UV_CACHE_DIR: cache, UV_NO_CONFIG: "1", UV_PYTHON_DOWNLOADS: "never" },
  };
}

const checkIndex = "Check the network, and the index that `pip config list` names.";

/** @param place the Python that the packages are for */
export function uvError(
  stderr: string,
  action: "install" | "lock",
  { file, what, place }: { readonly file: string; readonly what: string; readonly place: string },
): Error {
  const said = withoutPasswords(stderr);
  const problem = `uv could not ${action} the packages of ${what}`;
  if (/error sending request|Failed to fetch|HTTP status server error/.test(said)) {
    return new Failure(
      { code: "repository-failed", culprit: file },
      `${problem}: the package index does not answer: ${lastCause(said)}.`,
      checkIndex,
    );
  }
  const mismatch = /Hash mismatch for `([^`]+)`/.exec(said)?.[1];
  if (mismatch !== undefined) {
    return new UserError(
      { code: "repository-failed", culprit: mismatch },
      `${problem}: the file of ${mismatch} in the package index does not have the expected hash.`,
      "Find out whether the file or the hash is right before you change the hash.",
    );
  }
  const named = (how: string) =>
    [...said.matchAll(new RegExp(`(?:Because|and|version of) (\\S+) (?:${how})`, "g"))].map(([, name]) => name);
  const unknown = named("was not found").join(", ");
  if (unknown !== "") {
    return new UserError(
      { code: "package-not-found", culprit: unknown },
      `${problem}: the package index has no package ${unknown}.`,
      `Correct the name in ${file}, or name your own index in pip's configuration.`,
    );
  }
  const missing = named("has no usable wheels|and you require");
  if (missing.length > 0) {
    const culprit = missing.join(", ");
    return new UserError(
      { code: "package-not-found", culprit },
      `${problem}: the package index has no wheel of ${culprit} for ${place}.`,
      "Choose a version that has one, or add a wheel to your own index: Slipway builds no packages from source.",
    );
  }
  return new UserError(
    { code: "environment-failed", culprit: file },
    `${problem}: ${lastCause(said)}.`,
    "Correct the file.",
  );
}

/** The innermost cause that uv names. */
export function lastCause(said: string): string {
  const causes = [...said.matchAll(/^\s*(?:error|cause): (.*)/gm)].map(([, text = ""]) => text);
  return (causes.at(-1) ?? said.trim()).replace(/\.$/, "");
}

/** pip's settings and uv's variables. Blanks separate several values. */
const variables: Readonly<Record<string, string>> = {
  "index-url": "UV_DEFAULT_INDEX",
  "extra-index-url": "UV_INDEX",
  "find-links": "UV_FIND_LINKS",
  "trusted-host": "UV_INSECURE_HOST",
  cert: "SSL_CERT_FILE",
};

/** Sections of pip's configuration. Later ones win. */
const sections = ["global", "install", ":env:"];

/** For the indexes in `pip config list`. Addresses may have passwords, so only for a process's environment. */
export function indexVariables(listed: string): Record<string, string> {
  const settings = listed.split("\n").flatMap((line) => {
    const [, section = "", key = "", value = ""] = /^([^.]+)\.([\w-]+)=(['"].*['"])$/.exec(line.trim()) ?? [];
    return sections.includes(section) ? [{ section, key, value }] : [];
  });
  settings.sort((a, b) => sections.indexOf(a.section) - sections.indexOf(b.section));
  const found: Record<string, string> = {};
  for (const { key, value } of settings) {
    const variable = variables[key];
    // Python's way to write a string.
    const text = value.slice(1, -1).replace(/\\(.)/g, (_, character: string) => (character === "n" ? " " : character));
    if (variable !== undefined) found[variable] = text.trim().replace(/\s+/g, variable === "UV_FIND_LINKS" ? "," : " ");
  }
  return found;
}
