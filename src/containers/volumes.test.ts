import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { absoluteVolumes, claimsOf, requireInPlace, volumeMounts } from "./volumes.ts";

const podman = { name: "podman", path: "/bin/false" } as const;

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "volumes-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "file"), "");
  symlinkSync("data", join(folder, "link"));
  return folder;
}

it("have folders relative to the document", () => {
  expect(absoluteVolumes({ "/a": { folder: "../x" }, "/b": { claim: "c" } }, "/home/me/jobs")).toEqual({
    "/a": { folder: "/home/me/x" },
    "/b": { claim: "c" },
  });
});

it("are mounted read-only unless they are writable", async () => {
  const folder = folderOfTest();
  const volumes = { "/a": { folder: join(folder, "link") }, "/b": { folder: join(folder, "data"), writable: true } };
  expect(await volumeMounts(volumes, podman, {})).toEqual([
    { source: join(folder, "data"), target: "/a", isWritable: false },
    { source: join(folder, "data"), target: "/b", isWritable: true },
  ]);
});

it("are refused where they are not, and nothing is made", async () => {
  const folder = folderOfTest();
  const refused = userErrorWith("volume-unusable", "/a");
  const mountsOf = (volume: { folder: string } | { claim: string }, env = {}) =>
    volumeMounts({ "/a": volume }, podman, env);
  await expect(mountsOf({ folder: join(folder, "none") })).rejects.toThrow(refused);
  await expect(mountsOf({ folder: join(folder, "file") })).rejects.toThrow(refused);
  await expect(mountsOf({ claim: "none" })).rejects.toThrow(refused);
  await expect(mountsOf({ folder }, { CONTAINER_HOST: "ssh://build.example.com" })).rejects.toThrow(refused);
  expect(() => claimsOf({ "/a": { folder } })).toThrow(refused);
});

it("are in a process only what is there by itself", async () => {
  const folder = folderOfTest();
  await requireInPlace({ [join(folder, "data")]: { folder: join(folder, "link") } });
  await expect(requireInPlace({ "/a": { folder } })).rejects.toThrow(userErrorWith("volume-unusable", "/a"));
  await expect(requireInPlace({ "/a": { claim: "data" } })).rejects.toThrow(userErrorWith("volume-unusable", "/a"));
});
