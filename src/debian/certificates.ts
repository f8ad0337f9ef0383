import type { RootTree } from "./root-tree.ts";

const SOURCE = "usr/share/ca-certificates";

/**
 * Makes what ca-certificates makes: all certificates in /etc/ca-certificates.conf, a link for each in /etc/ssl/certs,
 * and the bundle, which OpenSSL, GnuTLS, Go, curl, Python and Node read in Debian. Links by subject hash (`openssl
 * rehash`) are not made: only programs that are given a folder alone need them.
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
