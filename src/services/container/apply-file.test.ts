import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { waitForLock } from "../../core/lock.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import { applyFile, deleteServices } from "./apply-file.ts";

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
  const put = (hash: string, name = `slipway-web-0-${hash}`) => {
    const Labels = {
      "slipway/service": "web",
      "slipway/replica": "0",
      "slipway/hash": hash,
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
  expect(asked()).toContain("container inspect slipway-web-0-one");
  rmSync(join(home, "slipway-web-0-one.json"));
  put("two");
  lock.release();
  await deleted;
  expect(changes).toEqual([{ action: "delete", kind: "Container", name: "web-0" }]);
  expect(asked()).toContain("rm --force --volumes slipway-web-0-two");
});

it("deletes a service without containers if it is disabled, and says that there are none", async () => {
  const { notices, changes, remove } = machine();
  await expect(remove(false)).rejects.toThrow(userErrorWith("service-not-found", "web"));
  await remove(true);
  expect({ notices, changes }).toEqual({ notices: ["web: it is disabled and has no container."], changes: [] });
});

it.each(["tender_hopper", "slipway-job-1", "slipway-web-0-one-2"])(
  "takes a container %j for none of a service whose labels its image has",
  async (name) => {
    const { put, asked, remove } = machine();
    put("one", name);
    await expect(remove(false)).rejects.toThrow(userErrorWith("service-not-found", "web"));
    expect(asked()).not.toContain(`rm --force --volumes ${name}`);
  },
);

/** A podman that has an image and no container, and notes what it is asked and what it is given for a container. */
const creating = `#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >> asked
case "$*" in
  image*) echo '[{"Id": "0", "Config": {"User": "1000"}}]' ;;
  *" create "*) printf %s "$PASSWORD" > "$NOTES/given"; for word; do case $word in *-file=*) cat "\${word#*=}" >> asked ;; esac; done ;;
esac
`;

/** A service with a secret, and what applying it leaves. */
async function applied(value: string | undefined) {
  const home = folderOfTest();
  const notes = folderOfTest();
  writeFileSync(join(home, "podman"), creating, { mode: 0o755 });
  const spec = 'image: localhost/web\nport: 80\nenv: [{name: PASSWORD, value: "SECRET:db-password"}]\n';
  writeFileSync(join(home, "web.yaml"), spec);
  const env = {
    PATH: `${home}:${process.env["PATH"]}`,
    HOME: home,
    XDG_STATE_HOME: home,
    CONTAINER_HOST: "unix:///nothing",
    NOTES: notes,
  };
  if (value !== undefined) await new LocalSecrets(env).set("db-password", Buffer.from(value));
  const told: unknown[] = [];
  const tell = (each: unknown) => void told.push(each);
  const file = { path: join(home, "web.yaml"), name: "web.yaml" };
  const done = applyFile(file, env, { isRolledBack: false, onChange: tell, notice: tell });
  const files = () =>
    readdirSync(home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "db-password")
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  const given = join(notes, "given");
  return { done, told, files, isMade: () => existsSync(given), given: () => readFileSync(given, "utf8") };
}

it("gives a container the value of a secret, which is in no argument, label, file or notice", async () => {
  const { done, told, files, given } = await applied("hunter2");
  await done;
  expect(given()).toBe("hunter2");
  expect(files()).toContain("--env=PASSWORD");
  expect(files()).toContain("slipway/facts=");
  expect(files() + JSON.stringify(told)).not.toContain("hunter2");
});

it("refuses a missing secret before anything is made", async () => {
  const { done, isMade } = await applied(undefined);
  await expect(done).rejects.toThrow(userErrorWith("secret-not-found", "web.yaml:3:31"));
  expect(isMade()).toBe(false);
});
