import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isInstalled } from "./measure.ts";

/** A registry of this machine that asks for no password, so that every tool can push to it. */
export interface PeerRegistry {
  /** `localhost:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

/**
 * Starts Debian's docker-registry, or crane's where there is none.
 *
 * @throws Error when neither is installed
 */
export async function startPeerRegistry(folder: string): Promise<PeerRegistry> {
  mkdirSync(folder, { recursive: true });
  if (isInstalled("docker-registry")) {
    const config = join(folder, "config.json");
    writeFileSync(
      config,
      JSON.stringify({
        version: "0.1",
        log: { accesslog: { disabled: true } },
        storage: { filesystem: { rootdirectory: join(folder, "data") } },
        http: { addr: "127.0.0.1:0" },
      }),
    );
    return start(folder, ["docker-registry", "serve", config], /listening on 127\.0\.0\.1:(\d+)/);
  }
  if (!isInstalled("crane")) {
    throw new Error("The benchmark needs a registry without a password.\nInstall docker-registry or crane.");
  }
  return start(
    folder,
    ["crane", "registry", "serve", "--disk", folder, "--address", "127.0.0.1:0"],
    /serving on port (\d+)/,
  );
}

async function start(folder: string, [program = "", ...args]: readonly string[], port: RegExp): Promise<PeerRegistry> {
  const path = join(folder, "log");
  const log = openSync(path, "w");
  // To a file: while other commands are timed nobody here would read a pipe.
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  for (;;) {
    const said = readFileSync(path, "utf8");
    const found = port.exec(said)?.[1];
    if (found) return { host: `localhost:${found}`, stop: () => stop(child) };
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
    await setTimeout(20);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
