import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { waitForLock } from "../../core/lock.ts";
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

it("deletes what there is once an apply that is under way has ended", async () => {
  const home = folderOfTest();
  writeFileSync(join(home, "podman"), podman, { mode: 0o755 });
  writeFileSync(join(home, "asked"), "");
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
  put("one");
  const services = join(home, "slipway/services");
  mkdirSync(services, { recursive: true });
  const lock = await waitForLock(join(services, "web.lock"));
  // A podman that is reached by a socket is one for any user.
  const CONTAINER_HOST = "unix:///nothing";
  const env = { PATH: `${home}:${process.env["PATH"]}`, HOME: home, XDG_STATE_HOME: home, CONTAINER_HOST };
  const notices: string[] = [];
  const changes: object[] = [];
  const deleted = deleteServices(
    ["web"],
    env,
    (text) => notices.push(text),
    (change) => changes.push(change),
  );
  await expect.poll(() => notices, { timeout: 20_000 }).toEqual(["web: waiting for another command that changes it."]);
  expect(asked()).toContain("container inspect one");
  rmSync(join(home, "one.json"));
  put("two");
  lock.release();
  await deleted;
  expect(changes).toEqual([{ action: "delete", kind: "Container", name: "web-0" }]);
  expect(asked()).toContain("rm --force --volumes two");
});
