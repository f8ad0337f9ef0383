import { sections } from "./markdown.ts";

const names = /^__all__ = \[([^\]]*)\]/m;
const definition =
  /^((?:def|class) (\w+)(?:\((?:[^()]|\([^()]*\))*\))?[^:\n]*):\n {4}"""((?:[^"]|"(?!""))*)"""\n(?:\n((?: {4}\w+: .*\n(?: {8}.*\n| {4}\)\n)*)+))?/gm;
const constant = /^# (.*)\n([A-Z_]+) = .*\n/gm;

/**
 * The page of the Python package: what `__all__` names.
 *
 * @param init text of `__init__.py`
 * @param modules texts of the modules that it imports from
 */
export function pythonPage(init: string, modules: readonly string[]): string {
  const matches = (pattern: RegExp) => modules.flatMap((text) => [...text.matchAll(pattern)]);
  const found = new Map([
    ...matches(definition).map(([, head = "", name = "", doc = "", fields = ""]) => {
      // The fields of a data class are its arguments.
      return [name, { head: fields === "" ? head : `${head}:\n${fields.trimEnd()}`, doc }] as const;
    }),
    ...matches(constant).map(([, doc = "", name = ""]) => [name, { head: name, doc }] as const),
  ]);
  const all = [...(names.exec(init)?.[1] ?? "").matchAll(/"(\w+)"/g)].map(([, name]) => name ?? "");
  return sections(
    "# Python package `slipway`",
    /^"""([^"]*)"""/.exec(init)?.[1] ?? "",
    ...all.map((name) => {
      const symbol = found.get(name);
      if (symbol === undefined) throw new Error(`slipway.${name} has no docstring that the reference finds.`);
      return sections(`## ${name}`, `\`\`\`python\n${symbol.head}\n\`\`\``, markdownOf(symbol.doc));
    }),
  );
}

/** Of a docstring in Google's style: sections become lists. */
function markdownOf(doc: string): string {
  return doc
    .replace(/^ {4}/gm, "")
    .replace(/^(Args|Raises|Returns):$/gm, (_, title) => `**${title}**\n`)
    .replace(/^ {4}(\w+):/gm, "- `$1`:");
}
