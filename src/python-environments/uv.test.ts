import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { lockRequirements } from "./lock-requirements.ts";
import { indexVariables } from "./uv.ts";

describe("the indexes of pip's configuration", () => {
  it("are uv's, in pip's order of precedence", () => {
    const listed = [
      ":env:.index-url='https://user:pass@environment.example/simple'",
      ":env:.timeout='9'",
      "global.extra-index-url='\\nhttps://a.example/simple\\nhttps://b.example/simple'",
      "global.index-url='https://file.example/simple'",
      "global.find-links='/one /two'",
      'install.trusted-host="it\'s.example"',
      "wheel.index-url='https://other.example'",
    ];
    expect(indexVariables(`${listed.join("\n")}\n`)).toEqual({
      UV_DEFAULT_INDEX: "https://user:pass@environment.example/simple",
      UV_FIND_LINKS: "/one,/two",
      UV_INDEX: "https://a.example/simple https://b.example/simple",
      UV_INSECURE_HOST: "it's.example",
    });
  });

  it("are none where pip has none", () => {
    expect(indexVariables("")).toEqual({});
  });
});

describe("the lock of requirements", () => {
  let folder: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipway-uv-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    env = { PATH: `${folder}/bin:/usr/bin:/bin`, HOME: folder, UV_INDEX_URL: "https://uv.example" };
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "a.in"), "a\n");
  });

  async function program(name: string, script: string): Promise<void> {
    await writeFile(join(folder, "bin", name), `#!/bin/sh\n${script}`);
    await chmod(join(folder, "bin", name), 0o755);
  }

  /** A Python whose pip brings a program in place of uv, and says where packages are. */
  async function machine(uv: string): Promise<void> {
    await writeFile(join(folder, "fake-uv"), `#!/bin/sh\n${uv}`);
    await program(
      "python3",
      `case "$*" in
  "-m pip --version") echo "pip 23.2.1 from /x (python 3.11)" ;;
  -c*) echo /usr/bin/python3 ;;
  "-m pip config list") echo "global.index-url='https://user:secret@index.example/simple'" ;;
  *"pip install"*)
    echo install >> ${folder}/calls
    for word; do case $word in --target=*) target=\${word#--target=} ;; --requirement=*) cp "\${word#--requirement=}" ${folder}/asked ;; esac; done
    mkdir "$target/bin"; cp ${folder}/fake-uv "$target/bin/uv"; chmod 755 "$target/bin/uv" ;;
esac
`,
    );
  }

  const lock = () => lockRequirements(join(folder, "a.in"), { name: "a.in", python: "3.11", env });

  it("is what the pinned uv writes, which pip brings once by its hash and which has pip's indexes", async () => {
    await machine(`echo "a==1"; echo "$*" > ${folder}/args; env > ${folder}/env; pwd >> ${folder}/args`);
    expect([await lock(), await lock()]).toEqual(["a==1\n", "a==1\n"]);
    expect(await readFile(join(folder, "calls"), "utf8")).toBe("install\n");
    expect(await readFile(join(folder, "asked"), "utf8")).toMatch(
      /^uv==[\d.]+ \\\n( {4}--hash=sha256:[0-9a-f]{64}( \\)?\n)+$/,
    );
    const args = await readFile(join(folder, "args"), "utf8");
    expect(args).toMatch(/--generate-hashes --universal .*--python-version=3\.11 .* a\.in\n/);
    expect(args).not.toContain("secret");
    const seen = await readFile(join(folder, "env"), "utf8");
    expect(seen).toContain("UV_DEFAULT_INDEX=https://user:secret@index.example/simple\n");
    expect(seen).not.toContain("uv.example");
  });

  it.each([
    ["cause: Because b==1 has no usable wheels and you require b==1, we can", "package-not-found", "b==1", 2],
    [
      "cause: Because bb was not found in the package registry and you require bb, we can",
      "package-not-found",
      "bb",
      2,
    ],
    ["cause: Because there is no version of b==9 and you require b==9.", "package-not-found", "b==9", 2],
    ["error: Couldn't parse requirement in `a.in`", "environment-failed", "a.in", 2],
    [
      "error: Request failed\n  cause: Failed to fetch: https://user:secret@index.example/simple/b/",
      "repository-failed",
      "a.in",
      1,
    ],
  ] as const)("names the culprit: %s", async (said, code, culprit, exitStatus) => {
    await machine(`cat >&2 <<'END'\n${said}\nEND\nexit 1`);
    const error = await lock().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, culprit, exitStatus });
    expect(String(error)).not.toContain("secret");
  });

  it.each([
    ["--no-binary evil\n./evil", "a.in:1"],
    ["a\n-r b.in", "b.in:1"],
    ["-c b.in\n-r c/d.in", "c/d.in:2"],
    ["-r https://a.example/b.in", "a.in:1"],
    ["-r file:///b.in", "a.in:1"],
    ["\n--index-url https://a.example/$" + "{UV_DEFAULT_INDEX}", "a.in:2"],
  ])("runs no uv that would build a package, or send passwords: %j", async (text, culprit) => {
    await machine(`echo ran > ${folder}/ran`);
    const option = "--no-binary=evil\n";
    await mkdir(join(folder, "c"));
    for (const [name, content] of Object.entries({ "a.in": text, "b.in": option, "c/d.in": `\n${option}` })) {
      await writeFile(join(folder, name), content);
    }
    await expect(lock()).rejects.toThrow(userErrorWith("file-invalid", culprit));
    expect(await readdir(folder)).not.toContain("ran");
  });

  it("needs pip, and what pip brings", async () => {
    await program("python3", "exit 1\n");
    await expect(lock()).rejects.toThrow(userErrorWith("program-missing", "pip"));
    await program(
      "python3",
      'case "$*" in *version) echo "pip 23.2.1 from /x (python 3.11)" ;; *) echo "ERROR: no https://u:secret@i.example" >&2; exit 1 ;; esac\n',
    );
    const error = await lock().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "environment-failed", culprit: "uv", exitStatus: 1 });
    expect(String(error)).toContain("i.example");
    expect(String(error)).not.toContain("secret");
  });
});
