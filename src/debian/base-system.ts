import type { RootTree } from "./root-tree.ts";

const MAIL_GROUP = 8;
const UTMP_GROUP = 43;

/** Destination and default: copied unless there is one. */
const DEFAULTS: readonly (readonly [string, string])[] = [
  ["root/.profile", "usr/share/base-files/dot.profile"],
  ["root/.bashrc", "usr/share/base-files/dot.bashrc"],
  ["etc/profile", "usr/share/base-files/profile"],
  ["etc/motd", "usr/share/base-files/motd"],
  ["etc/nsswitch.conf", "usr/share/libc-bin/nsswitch.conf"],
];

/**
 * As scripts of base-files, libc-bin and tzdata: default configuration, empty folders, links of /var into /run, logs
 * that programs append to, UTC. /etc/hosts, /etc/hostname and /etc/resolv.conf are the engine's.
 */
export function makeBaseSystem(tree: RootTree): void {
  for (const [path, source] of DEFAULTS) {
    const content = tree.read(source);
    if (content !== undefined && !tree.has(path)) tree.write(path, content);
  }
  if (tree.has("usr/share/base-files")) {
    const folders = ["mnt", "srv", "opt", "etc/opt", "var/opt", "media"];
    const local = ["share", "share/man", "bin", "games", "lib", "include", "sbin", "src", "etc"];
    for (const path of [...folders, "usr/local", ...local.map((name) => `usr/local/${name}`)]) tree.directory(path);
    tree.symlink("usr/local/man", "share/man");
    tree.directory("var/mail", { mode: 0o2775, gid: MAIL_GROUP });
    tree.symlink("var/spool/mail", "../mail");
    tree.directory("run/lock", { mode: 0o1777 });
    tree.symlink("var/run", "/run");
    tree.symlink("var/lock", "/run/lock");
    tree.symlink("etc/dpkg/origins/default", "debian");
    tree.write("var/log/wtmp", "", { mode: 0o664, gid: UTMP_GROUP });
    tree.write("var/log/btmp", "", { mode: 0o660, gid: UTMP_GROUP });
    tree.write("var/log/lastlog", "", { mode: 0o664, gid: UTMP_GROUP });
  }
  tree.directory("tmp", { mode: 0o1777 });
  tree.directory("var/tmp", { mode: 0o1777 });
  tree.directory("root", { mode: 0o700 });
  // Some engines do not make their mount points.
  for (const path of ["dev", "proc", "sys", "run"]) tree.directory(path);
  if (tree.resolve("usr/share/zoneinfo/Etc/UTC") !== undefined) {
    tree.symlink("etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
    tree.write("etc/timezone", "Etc/UTC\n");
  }
}
