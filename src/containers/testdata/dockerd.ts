import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/**
 * A Docker of the tests' own, on a machine that has it installed: started before them and stopped after them, with
 * its own storage, socket and bridge,
 * without a rule for the machine's firewall. The tests find no podman.
 */
export default async function startDocker(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "docker-"));
  const bridge = `slw${process.pid}`;
  const ip = (...args: string[]) => execFileSync("ip", args, { stdio: "pipe" });
  ip("link", "add", "name", bridge, "type", "bridge");
  const stop: (() => unknown)[] = [() => ip("link", "delete", bridge)];
  const stopAll = async () => {
    for (const each of stop.reverse()) await each();
  };
  try {
    ip("address", "add", `10.${randomInt(64, 192)}.${randomInt(256)}.1/24`, "dev", bridge);
    ip("link", "set", bridge, "up");
    const socket = join(folder, "docker.sock");
    const daemon = spawn(
      "dockerd",
      [
        ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "run"), "--pidfile", join(folder, "pid")],
        ...["--host", `unix://${socket}`, "--bridge", bridge, "--iptables=false", "--ip6tables=false"],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const ended = once(daemon, "close");
    stop.push(async () => {
      daemon.kill();
      await ended;
      // It may leave this behind.
      spawnSync("umount", [join(folder, "run/netns/default")], { stdio: "ignore" });
      rmSync(folder, { recursive: true, force: true });
    });
    const said: string[] = [];
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: daemon.stderr }).on("line", (line) => {
        said.push(line);
        if (line.includes("API listen on")) resolve();
      });
    });
    await Promise.race([
      ready,
      ended.then(() => {
        throw new Error(`dockerd ended:\n${said.slice(-5).join("\n")}`);
      }),
    ]);
    const { PATH } = process.env;
    stop.push(() => {
      process.env["PATH"] = PATH;
    });
    process.env["DOCKER_HOST"] = `unix://${socket}`;
    process.env["PATH"] = withoutPodman(join(folder, "bin"));
  } catch (error) {
    await stopAll();
    throw error;
  }
  return stopAll;
}

/** A folder with all programs of PATH but podman, which would be taken before docker. */
function withoutPodman(bin: string): string {
  mkdirSync(bin);
  const known = new Set(["podman"]);
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (!known.has(name)) symlinkSync(join(folder, name), join(bin, name));
      known.add(name);
    }
  }
  return bin;
}
