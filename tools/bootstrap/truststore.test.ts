import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const folder = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "truststore-"));

/** Reads a JKS as Java's sun.security.provider.JavaKeyStore does. */
function certificates(store: Buffer): Buffer[] {
  const content = store.subarray(0, -20);
  const password = Buffer.from("changeit", "utf16le").swap16();
  const digest = createHash("sha1").update(password).update("Mighty Aphrodite").update(content).digest();
  expect(store.subarray(-20)).toEqual(digest);
  expect(content.readUInt32BE(0)).toBe(0xfeedfeed);
  expect(content.readUInt32BE(4)).toBe(2);
  let at = 12;
  const text = () => {
    const start = at + 2;
    at = start + content.readUInt16BE(at);
    return content.toString("utf8", start, at);
  };
  const found = Array.from({ length: content.readUInt32BE(8) }, (_, number) => {
    expect(content.readUInt32BE(at)).toBe(2);
    at += 4;
    expect(text()).toBe(`certificate-${number}`);
    at += 8;
    expect(text()).toBe("X.509");
    const start = at + 4;
    at = start + content.readUInt32BE(at);
    return content.subarray(start, at);
  });
  expect(at).toBe(content.length);
  return found;
}

it.each(["\n", "\r\n"])("a Java key store has every certificate of a bundle whose lines end with %j", (end) => {
  // Of every length of padding, and of several lines.
  const contents = [30, 31, 32, 1000].map((length) => Buffer.alloc(length, length));
  const pem = contents.map((content) => {
    const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
    return ["# a comment", "-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join(end);
  });
  const bundle = join(folder, "bundle.pem");
  const store = join(folder, "store");
  writeFileSync(bundle, pem.join(end));
  const script = join(import.meta.dirname, "truststore.sh");
  const { status, stderr } = spawnSync("bash", [script, bundle, store], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(certificates(readFileSync(store))).toEqual(contents);
  expect(readdirSync(folder).sort()).toEqual(["bundle.pem", "store"]);
});
