import { chmod, mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { checkPrivate } from "./files.ts";
import { makeRegistryFolders, registryPaths, socketExists } from "./paths.ts";
import { stateOfTest } from "./testdata/fixture.ts";

describe("registryPaths", () => {
  it("has everything in the state folder", () => {
    const paths = registryPaths({ HOME: "/home/a" });
    expect(paths.socket).toBe("/home/a/.local/state/slipway/registry/registry.sock");
    for (const path of Object.values(paths))
      expect(path.startsWith("/home/a/.local/state/slipway/registry")).toBe(true);
  });

  it("moves a socket whose path would be too long, one for each state folder", () => {
    const long = (name: string) => ({ XDG_STATE_HOME: `/${name.repeat(100)}`, XDG_RUNTIME_DIR: "/run/user/7" });
    const socket = registryPaths(long("a")).socket;
    expect(socket).toMatch(/^\/run\/user\/7\/slipway\/[0-9a-f]{16}\.sock$/);
    expect(registryPaths(long("b")).socket).not.toBe(socket);
    expect(registryPaths({ XDG_STATE_HOME: `/${"a".repeat(100)}` }).socket).toMatch(/^\/tmp\/slipway-\d+\//);
    expect(registryPaths({ ...long("a"), XDG_RUNTIME_DIR: `/${"r".repeat(100)}` }).socket).toMatch(
      /^\/tmp\/slipway-\d+\//,
    );
  });
});

describe("folders", () => {
  it("are this user's alone", async () => {
    const { paths } = await stateOfTest();
    await makeRegistryFolders(paths);
    for (const folder of [paths.folder, paths.data, paths.programs, dirname(paths.socket)]) {
      await checkPrivate(folder);
    }
  });

  it("are refused when others can enter them, or when they are links", async () => {
    const { paths } = await stateOfTest();
    await makeRegistryFolders(paths);
    await chmod(paths.folder, 0o750);
    await expect(makeRegistryFolders(paths)).rejects.toThrow(userErrorWith("folder-unsafe", paths.folder));
    await expect(socketExists(paths)).rejects.toThrow(/can be entered by others \(mode 750\)/);

    const other = (await stateOfTest()).paths;
    await mkdir(dirname(other.folder), { recursive: true });
    await symlink("/tmp", other.folder);
    await expect(makeRegistryFolders(other)).rejects.toThrow(userErrorWith("folder-unsafe", other.folder));
  });

  it("are refused when they are somebody else's", async () => {
    const { paths } = await stateOfTest();
    await makeRegistryFolders(paths);
    const { uid } = await stat(paths.folder);
    vi.spyOn(process, "getuid").mockReturnValue(uid + 1);
    onTestFinished(() => void vi.restoreAllMocks());
    await expect(makeRegistryFolders(paths)).rejects.toThrow(userErrorWith("folder-unsafe", paths.folder));
    await expect(socketExists(paths)).rejects.toThrow(userErrorWith("folder-unsafe", paths.folder));
  });

  it("that cannot be made are named", async () => {
    const { paths } = await stateOfTest();
    await writeFile(`${dirname(dirname(paths.folder))}/slipway`, "");
    await expect(makeRegistryFolders(paths)).rejects.toThrow(userErrorWith("file-unwritable", paths.folder));
  });

  it("have no socket before there is a server", async () => {
    const { paths } = await stateOfTest();
    expect(await socketExists(paths)).toBe(false);
    expect(await socketExists({ ...paths, socket: join(paths.folder, "a", "b") })).toBe(false);
  });
});
