import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { testDeb } from "../../debian/testdata/packages.ts";
import { debian } from "./debian.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const user = ["user", { name: "slipway", uid: 1000, gid: 1000, home: "/home/slipway", shell: "/bin/sh" }];

function run(...entries: readonly unknown[]): Promise<void> {
  const options = [
    "--output=layer.tar.gz",
    "--metadata=layer.json",
    "--packages=packages.json",
    "--compression=gzip",
    "--comment=Debian packages",
  ];
  return debian([...options, ...entries.map((entry) => JSON.stringify(entry))], {
    folder,
    signal: new AbortController().signal,
  });
}

describe("debian", () => {
  it("writes one layer of several packages, the same in any order", async () => {
    const a = testDeb("a", [
      { path: "bin/a", content: "a", mode: 0o4755 },
      { path: "bin/b", type: "hardlink", target: "bin/a" },
    ]);
    writeFileSync(join(folder, "a.deb"), a);
    writeFileSync(join(folder, "z.deb"), testDeb("z", [{ path: "usr/bin/z", content: "z" }]));
    await run(["deb", "a.deb"], ["deb", "z.deb"], user);
    const metadata = readFileSync(join(folder, "layer.json"), "utf8");
    expect(JSON.parse(metadata)).toMatchObject({ comment: "Debian packages" });
    const listed = execFileSync("tar", ["-tvzf", join(folder, "layer.tar.gz"), "--numeric-owner"], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    expect(listed).toMatch(/-rwsr-xr-x 0\/0 +1 1970-01-01 00:00 usr\/bin\/a\n/);
    expect(listed).toMatch(/usr\/bin\/b link to usr\/bin\/a\n/);
    expect(listed).toMatch(/drwxr-xr-x 1000\/1000 +0 1970-01-01 00:00 home\/slipway\/\n/);
    await run(user, ["deb", "z.deb"], ["deb", "a.deb"]);
    expect(readFileSync(join(folder, "layer.json"), "utf8")).toBe(metadata);
  });

  it.each([
    [["deb"]],
    [["file", "a", "b"]],
    [["user", { ...(user[1] as object), uid: "0" }]],
    [["user", { ...(user[1] as object), name: "a:b" }]],
  ])("refuses %j", async (entry) => {
    await expect(run(entry)).rejects.toThrow(userErrorWith("command-line-invalid", JSON.stringify(entry)));
  });
});
