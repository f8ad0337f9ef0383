import { createHash } from "node:crypto";
import { createCleartextMessage, generateKey, readPrivateKey, sign } from "openpgp";
import type { ArchiveKey } from "../archive-keys.ts";
import type { FetchFile } from "../update-lock.ts";

/** A key pair that signs the indexes of a test. */
export interface TestKey {
  readonly public: ArchiveKey;
  readonly private: string;
}

export async function testKey(): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKey({
    type: "ecc",
    curve: "ed25519Legacy",
    userIDs: [{ name: "Test" }],
    date: new Date("2026-01-01T00:00:00Z"),
  });
  const fingerprint = (await readPrivateKey({ armoredKey: privateKey })).getFingerprint();
  return { public: { fingerprint, armored: publicKey }, private: privateKey };
}

/** A cleartext-signed text. */
export async function signed(text: string, { private: armoredKey }: TestKey, date: Date): Promise<string> {
  const message = await createCleartextMessage({ text });
  return sign({ message, signingKeys: await readPrivateKey({ armoredKey }), date });
}

export interface TestSuite {
  /** `Packages.xz` of main for amd64. */
  readonly packages: Buffer;
  /** Fields of the Release file, over the usual ones. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** The text of a Release file for a suite. */
export function releaseText(suite: string, { packages, fields = {} }: TestSuite): string {
  const all = { Suite: suite, Codename: suite, Components: "main non-free", Architectures: "all amd64", ...fields };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\n`);
  const sha256 = createHash("sha256").update(packages).digest("hex");
  return `${head.join("")}SHA256:\n ${sha256} ${packages.length} main/binary-amd64/Packages.xz\n`;
}

/** Serves files by `ARCHIVE/PATH`, and records what was asked for. */
export function testFetch(files: Readonly<Record<string, string | Buffer>>): FetchFile & { asked: string[] } {
  const asked: string[] = [];
  const fetch = async (archive: string, path: string) => {
    asked.push(`${archive}/${path}`);
    const content = files[`${archive}/${path}`];
    if (content === undefined) throw new Error(`404 ${archive}/${path}`);
    return Buffer.from(content);
  };
  return Object.assign(fetch, { asked });
}
