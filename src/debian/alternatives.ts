import { posix } from "node:path";
import { mergedPath, type RootTree } from "./root-tree.ts";

interface Link {
  readonly link: string;
  readonly name: string;
  readonly path: string;
}

interface Candidate extends Link {
  readonly priority: number;
  readonly slaves: readonly Link[];
}

/** Nothing runs here, so calls that compute an argument (`$`) are left out. */
export function parseAlternatives(script: string): Candidate[] {
  const candidates: Candidate[] = [];
  for (const line of script.replaceAll(/\\\n/g, " ").split("\n")) {
    const call = /^\s*update-alternatives\s+(.*)$/.exec(line)?.[1];
    if (call === undefined) continue;
    const words = call.split(/\s+(?:&&|\|\||;|#)|;/, 1)[0]?.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
    const args = words.map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
    const at = args.indexOf("--install");
    const [link, name, path, priority] = args.slice(at + 1);
    if (at < 0 || args.some((arg) => /[$`]/.test(arg))) continue;
    if (link === undefined || name === undefined || path === undefined || !/^-?\d+$/.test(priority ?? "")) continue;
    const slaves: Link[] = [];
    for (let i = 0; i < args.length; i++) {
      const [link, name, path] = args.slice(i + 1, i + 4);
      if (args[i] === "--slave" && link !== undefined && name !== undefined && path !== undefined)
        slaves.push({ link, name, path });
    }
    candidates.push({ link, name, path, priority: Number(priority), slaves });
  }
  return candidates;
}

/** The highest priority wins, then the first by package order. Slaves whose file does not exist are left out. */
export function makeAlternatives(tree: RootTree, scripts: readonly string[]): void {
  const best = new Map<string, Candidate>();
  for (const candidate of scripts.flatMap(parseAlternatives)) {
    if (!exists(tree, candidate.path)) continue;
    const other = best.get(candidate.name);
    if (other === undefined || candidate.priority > other.priority) best.set(candidate.name, candidate);
  }
  for (const candidate of best.values()) {
    for (const { link, name, path } of [candidate, ...candidate.slaves]) {
      if (!exists(tree, path)) continue;
      tree.symlink(`etc/alternatives/${name}`, path);
      const place = mergedPath(posix.normalize(link).slice(1));
      if (!tree.has(place)) tree.symlink(place, `/etc/alternatives/${name}`);
    }
  }
}

function exists(tree: RootTree, path: string): boolean {
  return tree.resolve(mergedPath(path.replace(/^\/+/, ""))) !== undefined;
}
