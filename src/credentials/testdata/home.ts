import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Entry } from "../source.ts";

/** A user's home with nothing in it, gone when the test ends. */
export class Home {
  readonly folder = mkdtempSync(join(tmpdir(), "slipway-home-"));
  readonly env: Record<string, string> = {
    HOME: this.folder,
    XDG_CONFIG_HOME: join(this.folder, "config"),
    DOCKER_CONFIG: join(this.folder, "docker"),
    PATH: `${join(this.folder, "bin")}:${process.env["PATH"]}`,
  };

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** Writes a file, for its user alone, and gives its path. */
  write(path: string, content: string | object, mode = 0o600): string {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
    chmodSync(full, mode);
    return full;
  }

  dockerConfig(content: string | object): string {
    return this.write("docker/config.json", content);
  }

  containersAuth(content: string | object): string {
    return this.write("config/containers/auth.json", content);
  }

  store(...credentials: Entry[]): string {
    return this.write("config/slipway/credentials.json", { version: 1, credentials });
  }

  /** A program on PATH, as a shell script. */
  program(name: string, script: string): string {
    return this.write(`bin/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  }
}

/** How Docker's files hold a user name and a password. */
export function auth(username: string, password: string): { readonly auth: string } {
  return { auth: Buffer.from(`${username}:${password}`).toString("base64") };
}
