import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { checkRequirements } from "./requirements.ts";

async function check(files: Readonly<Record<string, string>>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-requirements-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const paths = new Map<string, string>();
  for (const [index, [name, text]] of Object.entries(files).entries()) {
    paths.set(name, join(folder, String(index)));
    await writeFile(join(folder, String(index)), text);
  }
  await checkRequirements(Object.keys(files)[0] ?? "", paths);
}

async function expectRefused(
  files: Readonly<Record<string, string>>,
  code: ErrorCode,
  culprit: string | RegExp,
): Promise<void> {
  await expect(check(files)).rejects.toThrow(userErrorWith(code, culprit));
}

const hash = "--hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254";

it("takes files in which every requirement has its hash", async () => {
  const text = `# comment\n--index-url https://a.example/simple\nsix==1.16.0 \\\n    ${hash} \\\n    ${hash} # why\n\nidna==3.7 ; python_version < "4" ${hash}\n-c limits.txt\n-r more/other.txt`;
  // Constraints install nothing.
  const files = { "requirements.txt": text, "more/other.txt": `six==1.16.0 ${hash}\n`, "limits.txt": "six<2\n" };
  await check(files);
});

it("names file and line of one without", async () => {
  const code = "requirement-unpinned";
  await expectRefused({ "a.txt": `six==1.16.0 \\\n  ${hash}\n\nidna>=3\n` }, code, "a.txt:4");
  await expectRefused({ "a.txt": "-rb/c.txt", "b/c.txt": "\n# x\nsix" }, code, "b/c.txt:3");
  await expectRefused({ "a.txt": "-e ./lib\n" }, code, "a.txt:1");
});

it("refuses what would have pip do more than to look for wheels", async () => {
  const six = `six==1.16.0 ${hash}`;
  for (const text of [
    `--no-binary six\n${six}`,
    `--no-bin=six\n${six}`,
    `${six} --no-binary=six`,
    `--index-url https://a.example/simple --no-binary :all:`,
    `--pre -r other.txt`,
    `--requirem other.txt`,
    `${six}\f--no-binary six`,
    `# a comment\u2028--no-binary six`,
    `--use-feature fast-deps`,
  ]) {
    await expectRefused({ "a.txt": text }, "file-invalid", /^a\.txt:\d$/);
  }
  for (const text of [`# -*- coding: utf-7 -*-\n+AC0-e .`, `s\0i\0x\0`]) {
    await expectRefused({ "a.txt": text }, "file-invalid", "a.txt");
  }
  await check({ "a.txt": `# -*- coding: utf-8 -*-\n${six} # --no-binary` });
});

it("refuses variables, which would send a password of this machine to a host, or read a file that nobody checked", async () => {
  const name = "$" + "{PIP_INDEX_URL}";
  const lines = [
    `--index-url https://a.example/${name}`,
    `six @ https://a.example/${name}/six.whl ${hash}`,
    `-r ${name}/b.txt`,
  ];
  for (const line of [...lines, `-c ${name}/b.txt`]) {
    await expectRefused({ "a.txt": `\n${line}`, [`${name}/b.txt`]: "" }, "file-invalid", "a.txt:2");
  }
  const constraints = { "a.txt": "-c b.txt", "b.txt": "-r c.txt", "c.txt": `six @ https://a.example/${name}/six.whl` };
  await expectRefused(constraints, "file-invalid", "c.txt:1");
});
