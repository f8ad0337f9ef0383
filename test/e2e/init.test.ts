import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { environment } from "./environment.ts";
import { command } from "./workspace.ts";

// In a folder that is in no repository: Bazel's own for tests are in one. And not in /tmp, which Bazel's sandbox hides.
const scratch = mkdtempSync("/var/tmp/slipway-init-");
const env = environment(join(scratch, "state"));
const program = join(process.env["TEST_SRCDIR"] ?? "", "_main/src/slipway");
const [release = ""] = globSync(resolve("tools/release/slipway-*.tar.gz"));
const folders = new Set<string>();

async function sh(script: string, cwd: string): Promise<string> {
  const { status, stdout, stderr } = await command(["sh", "-ec", `cd ${cwd}\n${script}`], env);
  if (status !== 0) throw new Error(`${script} ended with status ${status}:\n${stderr}${stdout}`);
  return stdout;
}

/** Runs `slipway init` and the commands that it prints, as they are printed. Gives what these print. */
async function initAndRun(folder: string, ...args: string[]): Promise<string> {
  folders.add(join(scratch, folder));
  const commands = await sh(`${program} init ${folder} --from ${release} ${args.join(" ")}`, scratch);
  expect(commands.split("\n")).toHaveLength(4);
  return sh(commands, scratch);
}

const expected = {
  typescript: /^image: localhost:\d+\/.+\naverage: 4, computed on .+\nimage: none\naverage: 4, computed on .+\n$/,
  python: /^image: localhost:\d+\/.+\n +mean +host\n.+\n +4 +\S+\nimage: none\n +mean +host\n.+\n +4 +\S+\n$/,
  any: /^Hello .+\nimage: default##localhost:\d+\/.+\nHello .+\nimage: none\n$/,
} as const;
const languages = Object.keys(expected) as (keyof typeof expected)[];

afterAll(async () => {
  for (const folder of folders) await sh("tools/bazel clean --expunge 2>&1", folder);
  await sh(`${program} registry stop 2>&1`, scratch);
  rmSync(scratch, { recursive: true });
});

describe("an empty folder", () => {
  it.each(languages)("runs a program in %s after two commands", async (language) => {
    expect(await initAndRun(language, "--language", language)).toMatch(expected[language]);
    expect(readFileSync(join(scratch, language, "MODULE.bazel"), "utf8")).toContain(`urls = ["file://${release}"]`);
  });
});

describe("a repository with targets of its own", () => {
  const folder = join(scratch, "existing");
  mkdirSync(folder);
  writeFileSync(join(folder, "MODULE.bazel"), 'module(name = "shop")\n');
  writeFileSync(join(folder, "BUILD.bazel"), 'genrule(name = "own", outs = ["out"], cmd = "echo mine >$@")\n');

  it.each(languages)("runs a program in %s, and what it had", async (language) => {
    expect(await initAndRun("existing", "--language", language)).toMatch(expected[language]);
    await sh("tools/bazel build //:own", folder);
    expect(await sh("cat bazel-bin/out", folder)).toBe("mine\n");
  });
});
