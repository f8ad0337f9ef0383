import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { UserError } from "../oci/errors.ts";

/**
 * Checks that every requirement says by a hash what is installed: pip's "Secure installs". Constraints need none.
 *
 * @param first name of the requirements file
 * @param files real paths by name
 * @throws UserError that names file and line
 */
export async function checkRequirements(first: string, files: ReadonlyMap<string, string>): Promise<void> {
  const waiting = [posix.normalize(first)];
  const seen = new Set<string>();
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const file = files.get(name);
    if (seen.has(name) || file === undefined) continue;
    seen.add(name);
    for (const { text, line } of logicalLines(await readFile(file, "utf8"))) {
      const [, included] = /^(?:-r|--requirement)(?:\s*=\s*|\s+|(?<=-r))(\S+)/.exec(text) ?? [];
      if (included !== undefined) waiting.push(posix.join(posix.dirname(name), included));
      else checkLine(name, line, text);
    }
  }
}

function checkLine(name: string, line: number, text: string): void {
  const requirement = text.split(/\s/, 1)[0] ?? "";
  if (/^(-e|--editable)\b/.test(text)) {
    throw new UserError(
      `${name}:${line}: an editable requirement is whatever its folder has.`,
      "Leave it out and have its folder among the job's `code`, or publish it and name it by version and hash.",
    );
  }
  if (text.startsWith("-")) return;
  if (/\s--hash[=\s]/.test(text)) return;
  throw new UserError(
    `${name}:${line}: ${requirement} has no --hash, so what is installed may change.`,
    "Write the file with `pip-compile --generate-hashes` or `uv pip compile --generate-hashes`.",
  );
}

/** Lines as pip reads them: continued after a backslash, without comments. */
function logicalLines(text: string): { readonly text: string; readonly line: number }[] {
  const lines: { text: string; line: number }[] = [];
  let open: { text: string; line: number } | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    open ??= { text: "", line: index + 1 };
    const isComment = /^\s*#/.test(raw);
    const isContinued = raw.endsWith("\\") && !isComment;
    open.text += isComment ? "" : isContinued ? raw.slice(0, -1) : raw;
    if (isContinued) continue;
    const content = open.text.replace(/(^|\s)#.*$/, "").trim();
    if (content !== "") lines.push({ text: content, line: open.line });
    open = undefined;
  }
  if (open && open.text.trim() !== "") lines.push({ text: open.text.trim(), line: open.line });
  return lines;
}
