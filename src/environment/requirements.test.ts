import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { messageOf } from "../core/errors.ts";
import { checkRequirements } from "./requirements.ts";

async function checked(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-requirements-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const paths = new Map<string, string>();
  for (const [index, [name, text]] of Object.entries(files).entries()) {
    paths.set(name, join(folder, String(index)));
    await writeFile(join(folder, String(index)), text);
  }
  return checkRequirements(Object.keys(files)[0] ?? "", paths).then(() => "", messageOf);
}

const hash = "--hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254";

it("takes files in which every requirement has its hash", async () => {
  const text = `# comment\n--index-url https://a.example/simple\nsix==1.16.0 \\\n    ${hash} \\\n    ${hash} # why\n\nidna==3.7 ; python_version < "4" ${hash}\n-c limits.txt\n-r more/other.txt`;
  // Constraints install nothing.
  const files = { "requirements.txt": text, "more/other.txt": `six==1.16.0 ${hash}\n`, "limits.txt": "six<2\n" };
  expect(await checked(files)).toBe("");
});

it("names file and line of one without", async () => {
  expect(await checked({ "a.txt": `six==1.16.0 \\\n  ${hash}\n\nidna>=3\n` })).toBe(
    "a.txt:4: idna>=3 has no --hash, so what is installed may change.\nWrite the file with `slipway python lock`.",
  );
  expect(await checked({ "a.txt": "-rb/c.txt", "b/c.txt": "\n# x\nsix" })).toContain("b/c.txt:3: six has no --hash");
  expect(await checked({ "a.txt": "-e ./lib\n" })).toContain("a.txt:1: an editable requirement");
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
    expect(await checked({ "a.txt": text })).toMatch(/^a\.txt:\d: the option -\S+ cannot stand here\.\nLeave it out/);
  }
  for (const text of [`# -*- coding: utf-7 -*-\n+AC0-e .`, `s\0i\0x\0`]) {
    expect(await checked({ "a.txt": text })).toBe(
      "a.txt is not text in UTF-8.\nSave it as UTF-8, without a comment that names another encoding.",
    );
  }
  expect(await checked({ "a.txt": `# -*- coding: utf-8 -*-\n${six} # --no-binary` })).toBe("");
});
