import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { installPrograms } from "./programs.ts";

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-install-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A small "Node" with a bundle, installed as `tool`. */
function install(target: string): Promise<void> {
  const bundles = folderOfTest();
  for (const name of ["node", "main.mjs"]) writeFileSync(join(bundles, name), name.repeat(50_000));
  const node = join(bundles, "node");
  return installPrograms(target, { node, bundles, files: ["main.mjs"], executables: { tool: ["main.mjs"] } });
}

it("installs into a new folder, below others that are missing", async () => {
  const folder = folderOfTest();
  await install(join(folder, "a/b"));
  expect(readdirSync(join(folder, "a/b")).sort()).toEqual([".slipway", "tool"]);
});

it.each([
  ["/proc, which takes no folder", () => "/proc/slipway/bin"],
  ["/sys", () => "/sys/slipway"],
  ["a device", () => "/dev/null/slipway"],
  [
    "a file",
    () => {
      const file = join(folderOfTest(), "file");
      writeFileSync(file, "");
      return file;
    },
  ],
  [
    "a link to nothing",
    () => {
      const link = join(folderOfTest(), "link");
      symlinkSync("nothing", link);
      return link;
    },
  ],
  [
    "a circle of links",
    () => {
      const link = join(folderOfTest(), "link");
      symlinkSync(link, link);
      return link;
    },
  ],
  ["a name that is too long", () => join(folderOfTest(), "x".repeat(300))],
])("says what is wrong with %s, and ends", async (_, target) => {
  const folder = target();
  const error = await install(folder).catch((error: Error) => error);
  expect(error).toEqual(userErrorWith("installation-failed", folder));
  expect(error).toMatchObject({ exitStatus: 2 });
});

/** Only root may mount, and not in every sandbox. */
function small(options: string): string | undefined {
  const folder = folderOfTest();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
  return folder;
}

it.each(["size=64k", "ro"])("leaves nothing on a disk that is full or read-only: %s", async (options) => {
  const folder = small(options);
  if (folder === undefined) return;
  await expect(install(folder)).rejects.toEqual(userErrorWith("installation-failed", folder));
  expect(readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)))).toEqual([]);
});
