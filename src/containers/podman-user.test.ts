import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { podmanObstacle } from "./podman-user.ts";

const range = "tide:100000:65536\n";
const ready = { "etc/subuid": range, "etc/subgid": range, "bin/newuidmap": "", "bin/newgidmap": "" };

function obstacle(files: Record<string, string>, env = {}, uid = 1000) {
  const root = `${mkdtempSync(join(tmpdir(), "user-"))}/`;
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
    chmodSync(join(root, name), 0o755);
  }
  return podmanObstacle({ PATH: join(root, "bin"), ...env }, { uid, name: "tide", root });
}

describe.skipIf(process.platform !== "linux")("podmanObstacle", () => {
  it("finds none for a user that is set up, for root, and for a podman elsewhere", () => {
    expect(obstacle(ready)).toBeUndefined();
    expect(obstacle({ ...ready, "etc/subuid": "1000:1:9\n", "etc/subgid": "root:1:9\n1000:1:9\n" })).toBeUndefined();
    expect(obstacle({}, {}, 0)).toBeUndefined();
    expect(obstacle({}, { CONTAINER_HOST: "ssh://elsewhere" })).toBeUndefined();
    const elsewhere = { "etc/subuid": "", "etc/nsswitch.conf": "passwd: files\nsubid: sss\n" };
    expect(obstacle({ ...ready, ...elsewhere })).toBeUndefined();
  });

  it.each([
    [{ "bin/newgidmap": "", "etc/subuid": range, "etc/subgid": range }, "no newuidmap", "apt-get install uidmap"],
    [{ ...ready, "etc/subuid": "other:1:9\n" }, "no line in /etc/subuid", "usermod --add-subuids"],
    [{ ...ready, "etc/subuid": "", "etc/subgid": "" }, "no line in /etc/subuid and /etc/subgid", "usermod"],
    [{ ...ready, "proc/sys/user/max_user_namespaces": "0\n" }, "user namespaces are switched off", "max_user_names"],
  ])("names what is missing, and the step (%#)", (files, reason, remedy) => {
    const found = obstacle(files as Record<string, string>);
    expect(found?.reason).toBe(`podman is not set up for the user tide (${reason})`);
    expect(found?.remedy).toContain(remedy);
  });
});
