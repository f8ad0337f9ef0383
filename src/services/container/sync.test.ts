import { expect, it } from "vitest";
import { UserError } from "../../core/errors.ts";
import { toWire } from "../../core/wire-error.ts";
import type { Content } from "../content.ts";
import { Containers } from "./containers.ts";
import { bringContent } from "./sync.ts";

const error = new UserError({ code: "git-login", culprit: "https://a.io/b" }, "a.io refused.", "Add a password.");

/** An engine whose sync program prints these lines, then fails. */
class Failing extends Containers {
  readonly asked: string[] = [];
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    super({ name: "podman", path: "/nowhere" }, {});
    this.#lines = lines;
  }

  override async ask(args: readonly string[]): Promise<string> {
    this.asked.push(args.join(" "));
    return "/volume";
  }

  override async attach(
    _: string,
    onLine: (line: string) => void,
  ): Promise<{ status: number; words: readonly string[] }> {
    this.#lines.forEach(onLine);
    return { status: 2, words: this.#lines };
  }
}

async function failed(lines: readonly string[]) {
  const told: string[] = [];
  const containers = new Failing(lines);
  const content: Content = { kind: "models", arguments: [], mounts: [], secrets: [] };
  const options = { service: "web", image: "i", files: {}, notice: (text: string) => void told.push(text) };
  const thrown = await bringContent(containers, content, options).catch((error: unknown) => error);
  return { told, thrown, created: containers.asked.find((words) => words.startsWith("create")) };
}

it("keeps the class, code and remedy of the sync program's error, and does not show its JSON", async () => {
  const { told, thrown, created } = await failed(["a.io: cloning", JSON.stringify({ error: toWire(error) })]);
  expect(created).toContain("--env=SLIPWAY_ERROR_FORMAT=json");
  expect(told).toEqual(["a.io: cloning"]);
  expect(thrown).toMatchObject({ code: "git-login", culprit: "web", exitStatus: 2, remedy: "Add a password." });
  expect(String(thrown)).toContain("a.io refused.");
});

it("quotes the last words of a program that was killed", async () => {
  const { told, thrown } = await failed(["Killed"]);
  expect(told).toEqual(["Killed"]);
  expect(thrown).toMatchObject({ code: "program-failed", culprit: "web", exitStatus: 1 });
  expect(String(thrown)).toContain("Killed");
});
