import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

// The built command line: what it writes is in its bundle.
const program = join(process.env["TEST_SRCDIR"] ?? "", "_main/src/slipway");

/** A folder in no other repository, unlike those that Bazel gives to tests. */
function scratch(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "init-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const slipway = scratch({ "MODULE.bazel": 'module(name = "slipway")\n' });

function init(folder: string, ...args: string[]) {
  const env = { ...process.env, BUILD_WORKSPACE_DIRECTORY: slipway, BUILD_WORKING_DIRECTORY: folder };
  const { status, stdout, stderr } = spawnSync(program, ["init", ...args], { env, encoding: "utf8" });
  return { status, stdout, stderr };
}

function files(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const plain = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(plain.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

const locks = {
  typescript: ["main.ts", "package.json", "pnpm-lock.yaml"],
  python: ["main.py", "requirements.in", "requirements.txt"],
  any: ["greeting.txt", "main.sh"],
};

describe.each(["typescript", "python", "any"] as const)("an empty folder, for %s", (language) => {
  it("becomes a repository", () => {
    const folder = scratch();
    const { status, stdout } = init(folder, "new/my app", "--language", language);
    expect(status).toBe(0);
    expect(stdout).toBe("cd 'new/my app'\ntools/bazel run //:main\ntools/bazel run //:main_local\n");
    const made = files(join(folder, "new/my app"));
    const ignored = language === "typescript" ? [".bazelignore"] : [];
    const common = [
      ...ignored,
      ".bazelrc",
      ".bazelversion",
      ".gitignore",
      "BUILD.bazel",
      "MODULE.bazel",
      "tools/bazel",
    ];
    expect(Object.keys(made).filter((name) => !name.startsWith("tools/bootstrap/"))).toEqual(
      [...common, ...locks[language]].sort(),
    );
    expect(made["MODULE.bazel"]).toContain(`path = "${slipway}"`);
    expect(made["MODULE.bazel"]).toMatch(/^module\(name = "my_app"\)\n/);
    expect(Object.values(made).join("")).not.toContain("{{");
    // These files are copies of those in this repository.
    for (const name of [".bazelversion", "tools/bazel", "tools/bootstrap/choose.sh", "tools/bootstrap/truststore.sh"]) {
      expect(made[name], name).toBe(readFileSync(name, "utf8"));
    }
    const bootstrap = readdirSync("tools/bootstrap").filter((name) => /\.(sh|mjs)$/.test(name));
    for (const name of bootstrap) expect(Object.keys(made)).toContain(`tools/bootstrap/${name}`);
    expect(statSync(join(folder, "new/my app/tools/bazel")).mode & 0o111).toBe(0o111);
  });

  it("has nothing added by a second time", () => {
    const folder = scratch();
    init(folder, "--language", language);
    const before = files(folder);
    const again = init(folder, "--language", language);
    expect(again.stdout).toBe("tools/bazel run //:main\ntools/bazel run //:main_local\n");
    expect(files(folder)).toEqual(before);
  });
});

it.each([
  ["Ünser Shop 2", "nser_shop_2"],
  ["0.1", "app"],
  ["-_a.", "a"],
])("a folder %s becomes a module whose name Bazel takes", (name, module) => {
  const folder = scratch();
  expect(init(folder, `./${name}`, "--language", "any").status).toBe(0);
  expect(files(join(folder, name))["MODULE.bazel"]).toMatch(new RegExp(`^module\\(name = "${module}"\\)\n`));
});

describe("a repository with programs of its own", () => {
  const own = {
    "BUILD.bazel": "# mine\n",
    "MODULE.bazel": 'module(name = "shop")\n\nnpm = use_extension("//:mine.bzl", "npm")\nuse_repo(npm, "npm")',
    ".bazelrc": "# mine\n",
    ".bazelversion": "8.1.0\n",
    "hello/notes.txt": "mine\n",
  };

  it("keeps every byte, and gets a program in a package of its own", () => {
    const folder = scratch(own);
    const { status, stdout } = init(folder);
    expect(status).toBe(0);
    expect(stdout).toBe("tools/bazel run //hello_2:main\ntools/bazel run //hello_2:main_local\n");
    const made = files(folder);
    expect(made).toMatchObject({ ...own, "MODULE.bazel": expect.stringContaining(own["MODULE.bazel"]) });
    const added = made["MODULE.bazel"]?.slice(own["MODULE.bazel"].length);
    expect(added).toMatch(
      /^\n\n# Added by `slipway init`:\n\nbazel_dep\(name = "slipway", version = ".+"\)\nlocal_path_override/,
    );
    // `npm` is theirs.
    expect(added).toContain('hello_npm.install(\n    name = "hello_npm",\n    package_json = "//hello_2:package.json"');
    expect(made["hello_2/BUILD.bazel"]).toContain("@hello_npm//:simple-statistics");
  });

  it("has Bazel's links ignored by git, and hears that its module has no name", () => {
    const folder = scratch({ ".gitignore": "/dist", "MODULE.bazel": 'bazel_dep(name = "rules_go")\n' });
    const { stderr } = init(folder, "--language", "any");
    expect(stderr).toContain("gives the module no name");
    const made = files(folder);
    expect(made[".gitignore"]).toBe("/dist\n/bazel-*\n");
    expect(made["MODULE.bazel"]).not.toMatch(/^module\(/m);
    init(folder, "--language", "any");
    expect(files(folder)).toEqual(made);
  });

  it("is left alone where Slipway is declared and its lock is there", () => {
    const module = `bazel_dep(name = "slipway", version = "1")
js = use_extension("@slipway//bazel:extensions.bzl", "npm")
js.install(name = "packages", package_json = "//:package.json", pnpm_lock = "//:pnpm-lock.yaml")
use_repo(js, "packages")
`;
    const lock = { "package.json": "{}\n", "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" };
    const folder = scratch({ "MODULE.bazel": module, ...lock });
    expect(init(folder).stdout).toContain("//:main\n");
    const made = files(folder);
    expect(made).toMatchObject({ "MODULE.bazel": module, ...lock });
    expect(made["BUILD.bazel"]).toContain("@packages//:");
    expect(made["main.ts"]).not.toContain("simple-statistics");
  });

  it("keeps a package.json without pnpm's lock, and a requirements.txt without hashes, for itself", () => {
    const npm = scratch({ "package.json": "{}\n", "package-lock.json": "{}\n" });
    expect(init(npm).stdout).toContain("//hello:main\n");
    expect(files(npm)).toMatchObject({ "package.json": "{}\n", "hello/package.json": expect.any(String) });
    const pip = scratch({ "requirements.txt": "requests\n" });
    expect(init(pip).stdout).toContain("//hello:main\n");
    expect(files(pip)).toMatchObject({ "requirements.txt": "requests\n", "hello/main.py": expect.any(String) });
  });

  it("uses a requirements.txt with hashes", () => {
    const lock = `requests==1 \\\n    --hash=sha256:${"0".repeat(64)}\n`;
    const folder = scratch({ "requirements.txt": lock });
    expect(init(folder).stdout).toContain("//:main\n");
    const made = files(folder);
    expect(made).toMatchObject({ "requirements.txt": lock, "main.py": expect.not.stringContaining("tabulate") });
    expect(made["requirements.in"]).toBeUndefined();
  });

  it("has Bazel started by its own tools/bazel", () => {
    const folder = scratch({ "tools/bazel": "#!/bin/sh\n" });
    expect(init(folder).stdout).toBe("bazel run //:main\nbazel run //:main_local\n");
    expect(existsSync(join(folder, "tools/bootstrap"))).toBe(false);
  });
});

describe("a folder that cannot be one", () => {
  it.each<[string, Readonly<Record<string, string>>, string, string]>([
    ["with an old Bazel", { ".bazelversion": "6.4.0\n" }, ".", "6.4.0"],
    ["without modules", { ".bazelrc": "common --noenable_bzlmod\n" }, ".", ".bazelrc"],
    ["that is Slipway", { "MODULE.bazel": 'module(name = "slipway")\n' }, ".", "Slipway itself"],
    ["with another name for Slipway", { "MODULE.bazel": 'bazel_dep(name = "slipway", repo_name = "x")\n' }, ".", "@x"],
    ["inside a repository", { "MODULE.bazel": "" }, "inner", "MODULE.bazel"],
  ])("%s is refused, and nothing is written", (_, content, name, culprit) => {
    const folder = scratch(content);
    const { status, stdout, stderr } = init(folder, name);
    expect(stderr).toContain(culprit);
    expect(stderr).toContain("[installation-failed]\n");
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(files(folder)).toEqual(content);
  });

  it("whose files cannot be written keeps none, and the lines for MODULE.bazel are printed", () => {
    const folder = scratch({ tools: "a file where a folder should be\n", "MODULE.bazel": "# mine\n" });
    const { status, stderr } = init(folder);
    expect(stderr).toContain('bazel_dep(name = "slipway"');
    expect(stderr).toContain("[installation-failed]\n");
    expect(status).toBe(2);
    expect(Object.keys(files(folder))).toEqual(["MODULE.bazel", "tools"]);
  });
});
