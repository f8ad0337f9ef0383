import type { FileHandle } from "node:fs/promises";
import { mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import type { Content, EmbeddedContent, TarEntry } from "../layer/entry.ts";
import { type ImageUser, makeAccounts, makeShells } from "./accounts.ts";
import { makeAlternatives } from "./alternatives.ts";
import { makeBaseSystem } from "./base-system.ts";
import { makeCertificates } from "./certificates.ts";
import { type OpenedPackage, openDeb } from "./deb.ts";
import { makeDpkgDatabase } from "./dpkg-database.ts";
import { makeLoaderCache } from "./ld-cache.ts";
import { parseRelations } from "./relation.ts";
import { type Extent, mergedPath, type RootNode, RootTree, readExtent } from "./root-tree.ts";

/** Contents lie in temporary files, which its disposal removes. */
export interface RootFilesystem extends AsyncDisposable {
  readonly entries: readonly TarEntry[];
}

/** As in Debian's container images: a third of a small image. Licences ask for the copyright files. */
const LEFT_OUT = /^usr\/share\/(man|info|locale|lintian|linda|groff)\/.|^usr\/share\/doc\/(?!.*\/copyright$)[^/]+\/./;

/** Merges /usr, and makes what maintainer scripts would. `scratch` gets as much as the packages take unpacked. */
export async function openRootFilesystem(
  debs: readonly string[],
  users: readonly ImageUser[],
  scratch: string,
  signal?: AbortSignal,
): Promise<RootFilesystem> {
  const folder = await mkdtemp(join(scratch, "debian-"));
  const files: FileHandle[] = [];
  const close = async () => {
    await Promise.all(files.map((file) => file.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const packages: OpenedPackage[] = [];
    for (const [index, deb] of debs.entries()) {
      signal?.throwIfAborted();
      packages.push(await openDeb(deb, join(folder, `${index}.tar`)));
    }
    packages.sort((a, b) => order(a).localeCompare(order(b), "en"));
    const tree = new RootTree();
    for (const [index, { name, control, dataPath, entries }] of packages.entries()) {
      if (packages[index - 1]?.name === name) {
        throw new UserError(
          { code: "layer-conflict", culprit: name },
          `The package ${name} is given twice.`,
          "Keep one version of it in the lock.",
        );
      }
      const file = await open(dataPath);
      files.push(file);
      const replaces = new Set(
        parseRelations(control.get("replaces"))
          .flat()
          .map(({ name }) => name),
      );
      for (const entry of entries) {
        if (entry.path !== "" && entry.type !== "device") tree.add(entry.path, nodeOf(entry, file, name), replaces);
      }
    }
    make(tree, packages, users);
    return { entries: layerEntries(tree), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function order({ name }: OpenedPackage): string {
  return name === "base-files" ? "" : name;
}

function nodeOf(entry: OpenedPackage["entries"][number], file: FileHandle, origin: string): RootNode {
  const common = { mode: entry.mode, uid: entry.uid, gid: entry.gid, origin };
  switch (entry.type) {
    case "file":
      return { ...common, type: "file", content: { file, offset: entry.offset, size: entry.size } };
    case "symlink":
      return { ...common, type: "symlink", target: entry.target };
    case "hardlink":
      return { ...common, type: "hardlink", target: mergedPath(entry.target) };
    default:
      return { ...common, type: "directory" };
  }
}

function make(tree: RootTree, packages: readonly OpenedPackage[], users: readonly ImageUser[]): void {
  tree.leaveOut(LEFT_OUT);
  tree.mergeUsr();
  makeBaseSystem(tree);
  makeAccounts(tree, users);
  makeShells(tree);
  makeAlternatives(
    tree,
    packages.map(({ controlFiles }) => controlFiles.get("postinst") ?? ""),
  );
  makeCertificates(tree);
  makeLoaderCache(tree);
  makeDpkgDatabase(tree, packages);
}

function layerEntries(tree: RootTree): TarEntry[] {
  const entries: TarEntry[] = [];
  for (const [path, node] of tree.entries()) {
    const { mode, uid, gid, origin } = node;
    const common = { path, mode, uid, gid, origin: `part of ${origin}` };
    if (node.type === "file") entries.push({ ...common, type: "file", content: layerContent(node.content) });
    else if (node.type === "directory") entries.push({ ...common, type: "directory" });
    else entries.push({ ...common, type: node.type, target: node.target });
  }
  return entries;
}

function layerContent(content: Extent | Buffer): Content | EmbeddedContent {
  if (Buffer.isBuffer(content)) return { bytes: content };
  const { file, offset, size } = content;
  return { size, read: (target, at) => readExtent(file, target, offset + at) };
}
