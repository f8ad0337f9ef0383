import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { expect } from "vitest";
import { askStatus } from "../../src/registry-server/client.ts";
import { environment } from "../e2e/environment.ts";
import { Registry } from "../e2e/registry.ts";
import { command } from "../e2e/workspace.ts";
import { type Block, fileOf, isShell, shellLines } from "./page.ts";

/**
 * Where the reader of a page works: a folder with the release archive, and a user's state without images and settings.
 */
export class Reader {
  /** In no repository, unlike Bazel's folders for tests. Not in /tmp, which Bazel's sandbox hides. */
  readonly home = mkdtempSync("/var/tmp/slipway-docs-");
  readonly state = join(this.home, "state");
  /** The folder in which the reader's shell is. */
  folder = join(this.home, "work");
  readonly #env: Readonly<Record<string, string>>;
  /** Text of a page to the text that works here, such as the address of a server. */
  readonly #replaced: ReadonlyMap<string, string>;
  #output = "";

  constructor(replaced: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) {
    const { SLIPWAY_ENGINE: _, ...user } = environment(this.state);
    const programs = join(this.home, "bin");
    this.#env = { ...user, PATH: `${programs}:${user["PATH"]}`, ...env };
    const own = { "~/.local/bin": programs, "~/.config": join(this.state, "config") };
    this.#replaced = new Map(Object.entries({ ...own, ...replaced }));
    mkdirSync(this.folder, { recursive: true });
    const [release = ""] = globSync("tools/release/slipway-*.tar.gz");
    copyFileSync(release, join(this.folder, basename(release)));
  }

  /** Does what a block says. A shell block runs line by line, and each line must succeed. Gives what it prints. */
  async follow(block: Block): Promise<string> {
    const text = this.#here(block.text);
    const file = fileOf({ ...block, text });
    if (file !== undefined) this.#write(file, text, block.language);
    else if (isShell(block)) {
      this.#output = "";
      for (const line of shellLines({ text })) this.#output += await this.sh(line);
    } else if (block.language === "text") expectOutput(this.#output, text, block.place);
    return this.#output;
  }

  /** Runs one line in the folder, and with the variables, that the last one left. */
  async sh(line: string): Promise<string> {
    const [place, variables] = [join(this.home, "folder"), join(this.home, "variables")];
    const before = existsSync(variables) ? `. ${variables}\n` : "";
    const after = `status=$?\npwd >${place}\nexport -p >${variables}\nexit $status`;
    const script = `exec 2>&1\n${before}cd '${this.folder}' || exit\n${line}\n${after}`;
    const { status, stdout } = await command(["sh", "-c", script], this.#env);
    expect(status, `${line}\n${stdout}`).toBe(0);
    this.folder = readFileSync(place, "utf8").trim();
    return stdout;
  }

  /** Ends the servers that the commands have started, and removes everything. */
  async end(): Promise<void> {
    const registry = new Registry(this);
    const host = (await askStatus(registry.paths.socket))?.host;
    await registry.stop();
    // podman keeps the images in which functions ran.
    const list = "podman images --format '{{.Repository}}@{{.Digest}}'";
    if (host) await this.sh(`${list} | grep '^${host}/' | xargs -r podman rmi --force || :`);
    const work = join(this.home, "work");
    for (const name of readdirSync(work)) {
      this.folder = join(work, name);
      if (existsSync(join(this.folder, "tools/bazel"))) await this.sh("tools/bazel clean --expunge");
    }
    rmSync(this.home, { recursive: true });
  }

  #here(text: string): string {
    return [...this.#replaced].reduce((result, [page, here]) => result.replaceAll(page, here), text);
  }

  /** Programs replace a file. Lines of Starlark and of settings are added to it. */
  #write(path: string, text: string, language: string): void {
    const file = resolve(this.folder, path);
    const before = !["ts", "python"].includes(language) && existsSync(file) ? readFileSync(file, "utf8") : "";
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, before + text);
  }
}

/** Numbers that differ from machine to machine, and from day to day. */
const varying = [/localhost:\d+/, /sha256:[0-9a-f]{12}(?:[0-9a-f]{52})?/, /\d+(?:\.\d+)? [kMG]?B\b/];

/** Expects the lines of a page among those that a command printed, in order. `…` stands for any text. */
function expectOutput(output: string, expected: string, place: string): void {
  const lines = output.split("\n");
  let next = 0;
  for (const line of expected.trimEnd().split("\n")) {
    if (line === "…") continue;
    const found = lines.findIndex((each, index) => index >= next && patternOf(line).test(each));
    expect(found, `${place}: this line is not in the output: ${line}\n${output}`).not.toBe(-1);
    next = found + 1;
  }
}

function patternOf(line: string): RegExp {
  const any = new RegExp(varying.map(({ source }) => `(${source})`).join("|"), "g");
  let pattern = "";
  let end = 0;
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("…", ".*");
  for (const match of line.matchAll(any)) {
    const kind = match.slice(1).findIndex((text) => text !== undefined);
    pattern += literal(line.slice(end, match.index)) + (varying[kind]?.source ?? "");
    end = match.index + match[0].length;
  }
  return new RegExp(`^${pattern}${literal(line.slice(end))}$`);
}
