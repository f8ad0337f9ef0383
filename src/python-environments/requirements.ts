import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { UserError } from "../core/errors.ts";
import { includedFile, requirementLines } from "./requirement-lines.ts";

/**
 * A hash must pin every requirement ("Secure installs"), and no line may override the command line's options.
 *
 * @param options `areLocked`: false if hashes come later
 */
export async function checkRequirements(first: string, files: ReadonlyMap<string, string>, { areLocked = true } = {}) {
  for (const [name, file] of files) checkVariables(name, await readFile(file, "utf8"));
  const waiting = [posix.normalize(first)];
  const seen = new Set<string>();
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const file = files.get(name);
    if (seen.has(name) || file === undefined) continue;
    seen.add(name);
    const content = await readFile(file, "utf8");
    checkEncoding(name, content);
    for (const { text, line } of requirementLines(content)) {
      const included = includedFile(text);
      if (included === undefined) checkLine(name, line, text, areLocked);
      else if (!included.isConstraint) waiting.push(posix.join(posix.dirname(name), included.file));
    }
  }
}

/** Options that say where packages are looked for. */
const searching =
  /^(-i|--index-url|--extra-index-url|--no-index|-f|--find-links|--trusted-host|--pre|--prefer-binary|--only-binary|--require-hashes)$/;

function checkLine(name: string, line: number, text: string, isLocked: boolean): void {
  const [requirement = ""] = text.split(/\s/, 1);
  const options = text.split(/\s+/).flatMap((word) => /^-[^=]*/.exec(word) ?? []);
  const culprit = `${name}:${line}`;
  if (options[0] === "-e" || options[0] === "--editable") {
    throw new UserError(
      { code: "requirement-unpinned", culprit },
      `${culprit}: an editable requirement changes with its folder.`,
      "Remove it and add its folder to the job's `code`, or publish it and name it by version and hash.",
    );
  }
  const isRequirement = !text.startsWith("-");
  const other = options.find((option) => (isRequirement ? option !== "--hash" : !searching.test(option)));
  if (other !== undefined) {
    throw new UserError(
      { code: "file-invalid", culprit },
      `${culprit}: the option ${other} is not allowed here.`,
      "Remove it: Slipway installs wheels by their hashes. Write -r and -c on lines of their own, and other options in full.",
    );
  }
  if (!isRequirement || !isLocked || options.includes("--hash")) return;
  throw new UserError(
    { code: "requirement-unpinned", culprit },
    `${culprit}: ${requirement} has no --hash, so the installed files could change.`,
    "Write the file with `slipway python lock`.",
  );
}

/** The installer would insert its own variables, such as passwords, and send them to any host. */
function checkVariables(name: string, content: string): void {
  const found = requirementLines(content).find(({ text }) => /\$\{[A-Z0-9_]+\}/.test(text));
  if (found === undefined) return;
  const culprit = `${name}:${found.line}`;
  throw new UserError(
    { code: "file-invalid", culprit },
    `${culprit}: variables are not allowed here.`,
    "Write the value. An address with a password belongs in pip's configuration: `pip config set global.index-url …`.",
  );
}

/** The first bytes or lines can set another encoding, in which pip would see other text than this check. */
function checkEncoding(name: string, content: string): void {
  const first = content.split("\n", 2).filter((line) => line.startsWith("#"));
  const isOther = first.some((line) => !/^utf-?8$/i.test(/coding[:=]\s*([-\w.]+)/.exec(line)?.[1] ?? "utf8"));
  if (!isOther && !content.includes("\0")) return;
  throw new UserError(
    { code: "file-invalid", culprit: name },
    `${name} is not text in UTF-8.`,
    "Save it as UTF-8, without a comment that names another encoding.",
  );
}
