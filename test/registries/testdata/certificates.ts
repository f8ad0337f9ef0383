import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../src/core/testdata/folder.ts";

/** PEM files. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/**
 * An authority that nobody but a test knows, and a way to certificates from it; made by openssl, in a folder of the
 * running test unless another is given.
 */
export function privateAuthority(folder = temporaryFolder()): KeyPair & { issue(name: string): KeyPair; readonly pem: string } {
  const at = (name: string) => join(folder, name);
  const authority = { certificate: at("ca.pem"), key: at("ca.key") };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", authority.key, "-out", authority.certificate, "-days", "2", "-subj", "/CN=Test authority");
  return {
    ...authority,
    pem: readFileSync(authority.certificate, "utf8"),
    issue(name) {
      const pair = { certificate: at(`${name}.pem`), key: at(`${name}.key`) };
      openssl("req", "-new", ...key, "-keyout", pair.key, "-out", at("request"), "-subj", `/CN=${name}`);
      writeFileSync(at("extensions"), `subjectAltName=DNS:${name},IP:127.0.0.1\n`);
      const by = ["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial"];
      openssl("x509", "-req", "-in", at("request"), ...by, "-out", pair.certificate, "-days", "2", "-extfile", at("extensions"));
      return pair;
    },
  };
}

/** A certificate that vouches for itself, with an RSA key. */
export function selfSigned(): KeyPair {
  const folder = temporaryFolder();
  const pair = { certificate: join(folder, "self.pem"), key: join(folder, "self.key") };
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pair.key, "-out", pair.certificate, "-days", "2", "-subj", "/CN=tokens");
  return pair;
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
