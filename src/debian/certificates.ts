import type { RootTree } from "./root-tree.ts";

const SOURCE = "usr/share/ca-certificates";

/**
 * As ca-certificates: all of /etc/ca-certificates.conf, a link for each in /etc/ssl/certs, and the bundle, which
 * OpenSSL, GnuTLS, Go, curl, Python and Node read. Only programs with a folder alone need links by subject hash.
 */
export function makeCertificates(tree: RootTree): void {
  const names: string[] = [];
  for (const [path, node] of tree.entries()) {
    if (path.startsWith(`${SOURCE}/`) && path.endsWith(".crt") && node.type === "file")
      names.push(path.slice(SOURCE.length + 1));
  }
  if (names.length === 0) return;
  names.sort();
  const certificates: Buffer[] = [];
  for (const name of names) {
    const base = name.slice(name.lastIndexOf("/") + 1, -".crt".length);
    tree.symlink(`etc/ssl/certs/${base.replaceAll(/[ ()]/g, "_")}.pem`, `/${SOURCE}/${name}`);
    const content = tree.read(`${SOURCE}/${name}`) as Buffer;
    certificates.push(content.at(-1) === 0x0a ? content : Buffer.concat([content, Buffer.from("\n")]));
  }
  tree.write("etc/ca-certificates.conf", names.map((name) => `${name}\n`).join(""));
  tree.write("etc/ssl/certs/ca-certificates.crt", Buffer.concat(certificates));
}
