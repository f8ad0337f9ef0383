import { createHash } from "node:crypto";
import type { OpenedPackage } from "./deb.ts";
import { mergedPath, type RootTree } from "./root-tree.ts";

/** For scanners, `dpkg -l` and a later `apt-get install`. Maintainer scripts did not run, so they are not there. */
export function makeDpkgDatabase(tree: RootTree, packages: readonly OpenedPackage[]): void {
  const paragraphs: string[] = [];
  for (const { name, control, controlText, controlFiles, entries } of packages) {
    const qualified = control.get("multi-arch") === "same" ? `${name}:${control.get("architecture")}` : name;
    const info = `var/lib/dpkg/info/${qualified}`;
    tree.write(`${info}.list`, entries.map(({ path }) => `/${path || "."}\n`).join(""));
    for (const file of ["md5sums", "conffiles"]) {
      const content = controlFiles.get(file);
      if (content !== undefined) tree.write(`${info}.${file}`, content);
    }
    const [first, ...rest] = controlText.trimEnd().split("\n");
    const status = [first, "Status: install ok installed", ...rest];
    const conffiles = (controlFiles.get("conffiles") ?? "").split("\n").filter((path) => path.startsWith("/"));
    if (conffiles.length > 0) status.push("Conffiles:");
    for (const path of conffiles) {
      const content = tree.read(mergedPath(path.trim().slice(1)));
      // dpkg sees by the md5 whether an administrator changed the file.
      if (content !== undefined) status.push(` ${path.trim()} ${createHash("md5").update(content).digest("hex")}`);
    }
    paragraphs.push(`${status.join("\n")}\n`);
  }
  tree.write("var/lib/dpkg/status", paragraphs.join("\n"));
  tree.write("var/lib/dpkg/available", "");
  tree.write("var/lib/dpkg/info/format", "1\n");
  tree.directory("var/lib/dpkg/updates");
}
