import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { waitForLock } from "../../core/lock.ts";
import { reported } from "../../core/testdata/reported.ts";
import { folderOfTest } from "../../deployment/testdata/git-repository.ts";
import { deleteServices } from "./apply-file.ts";

/** A podman that has the containers whose names are in a file, and notes what it is asked. */
const podman = `#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >> asked
case "$1" in
  ps) cat names ;;
  container) cat "$3.json" ;;
  stop | rm) for name; do :; done; [ -e "$name.json" ] || { echo "no such container" >&2; exit 1; } ;;
esac
`;

/** A machine whose podman has no container yet. */
function machine() {
  const home = folderOfTest();
  writeFileSync(join(home, "podman"), podman, { mode: 0o755 });
  for (const name of ["asked", "names"]) writeFileSync(join(home, name), "");
  const put = (name: string) => {
    const Labels = {
      "slipway/service": "web",
      "slipway/replica": "0",
      "slipway/hash": name,
      "slipway/facts": '{"ports":[]}',
    };
    const State = { Status: "running", ExitCode: 0, OOMKilled: false, StartedAt: "" };
    const found = { Name: name, Config: { Labels }, State, RestartCount: 0, HostConfig: { PortBindings: {} } };
    writeFileSync(join(home, `${name}.json`), JSON.stringify([found]));
    writeFileSync(join(home, "names"), `${name}\n`);
  };
  const asked = () => readFileSync(join(home, "asked"), "utf8").trim().split("\n");
  // A podman that is reached by a socket is one for any user.
  const CONTAINER_HOST = "unix:///nothing";
  const env = { PATH: `${home}:${process.env["PATH"]}`, HOME: home, XDG_STATE_HOME: home, CONTAINER_HOST };
  const notices: string[] = [];
  const changes: object[] = [];
  const remove = (isDisabled: boolean) =>
    deleteServices(
      [{ name: "web", isDisabled }],
      env,
      (text) => notices.push(text),
      (change) => changes.push(change),
    );
  return { home, put, asked, notices, changes, remove };
}

it("deletes what there is once an apply that is under way has ended", async () => {
  const { home, put, asked, notices, changes, remove } = machine();
  put("one");
  const services = join(home, "slipway/services");
  mkdirSync(services, { recursive: true });
  const lock = await waitForLock(join(services, "web.lock"));
  const deleted = remove(false);
  await expect.poll(() => notices, { timeout: 20_000 }).toEqual(["web: waiting for another command that changes it."]);
  expect(asked()).toContain("container inspect one");
  rmSync(join(home, "one.json"));
  put("two");
  lock.release();
  await deleted;
  expect(changes).toEqual([{ action: "delete", kind: "Container", name: "web-0" }]);
  expect(asked()).toContain("rm --force --volumes two");
});

it("deletes a service without containers if it is disabled, and says that there are none", async () => {
  const { notices, changes, remove } = machine();
  await expect(remove(false)).rejects.toThrow(reported("service-not-found", "web"));
  await remove(true);
  expect({ notices, changes }).toEqual({ notices: ["web: it is disabled and has no container."], changes: [] });
});
