import type { RootTree } from "./root-tree.ts";

export interface ImageUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Absolute; made, owned by the user, mode 0755. */
  readonly home: string;
  readonly shell: string;
}

const SHADOW_GROUP = 42;

/** From base-passwd's masters (else root and nobody) and the image's users. Every account is locked (`!*`). */
export function makeAccounts(tree: RootTree, users: readonly ImageUser[]): void {
  const passwd = lines(tree, "usr/share/base-passwd/passwd.master", [
    "root:*:0:0:root:/root:/bin/sh",
    "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  ]).map((line) => {
    const fields = line.split(":");
    const shell = fields[6] ?? "";
    // The master names bash, which is not in every image.
    const known = tree.resolve(shell.slice(1)) !== undefined || shell.endsWith("/nologin");
    return [fields[0], "x", ...fields.slice(2, 6), known ? shell : "/bin/sh"].join(":");
  });
  const group = lines(tree, "usr/share/base-passwd/group.master", [
    "root:*:0:",
    "shadow:*:42:",
    "nogroup:*:65534:",
  ]).map((line) => line.replace(/^([^:]*):[^:]*/, "$1:x"));
  for (const { name, uid, gid, home, shell } of users) {
    passwd.push(`${name}:x:${uid}:${gid}:${name}:${home}:${shell}`);
    if (!group.some((line) => line.split(":")[2] === String(gid))) group.push(`${name}:x:${gid}:`);
    tree.directory(home.replace(/^\/+/, ""), { uid, gid });
  }
  const locked = (line: string) => line.split(":", 1)[0];
  tree.write("etc/passwd", text(passwd));
  tree.write("etc/group", text(group));
  const secret = { mode: 0o640, gid: SHADOW_GROUP };
  tree.write("etc/shadow", text(passwd.map((line) => `${locked(line)}:!*::0:99999:7:::`)), secret);
  tree.write("etc/gshadow", text(group.map((line) => `${locked(line)}:!*::`)), secret);
}

/** Makes /etc/shells as debianutils' update-shells, with the path below /usr beside the traditional one. */
export function makeShells(tree: RootTree): void {
  const head = tree.read("usr/share/debianutils/shells")?.toString();
  const folder = "usr/share/debianutils/shells.d";
  const shells = tree.list(folder).flatMap((name) => lines(tree, `${folder}/${name}`, []));
  if (shells.length === 0) return;
  const known = new Set((head ?? "").split("\n"));
  const added = shells.flatMap((shell) => [shell, `/usr${shell}`]).filter((shell) => !known.has(shell));
  tree.write("etc/shells", `${head ?? "# /etc/shells: valid login shells\n"}${text(added)}`);
}

function lines(tree: RootTree, path: string, fallback: readonly string[]): string[] {
  const content = tree.read(path)?.toString();
  return content === undefined
    ? [...fallback]
    : content.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
