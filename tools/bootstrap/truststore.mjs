// Writes a bundle of certificates as a Java key store (JKS), so that Debian's Bazel downloads from whom this machine trusts.
// usage: node truststore.mjs BUNDLE.pem STORE
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

const [bundle, store] = process.argv.slice(2);
const certificates =
  readFileSync(bundle, "latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const text = (value) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
};

// Magic, version 2, number of entries; an entry: tag 2 (trusted certificate), alias, time in ms, type, bytes.
const parts = [u32(0xfeedfeed), u32(2), u32(certificates.length)];
for (const [index, pem] of certificates.entries()) {
  const der = new X509Certificate(pem).raw;
  parts.push(u32(2), text(`certificate-${index}`), Buffer.alloc(8), text("X.509"), u32(der.length), der);
}
const content = Buffer.concat(parts);
// The digest that ends a store takes a password, UTF-16BE, and a constant; it protects nothing here.
const password = Buffer.from("changeit", "utf16le").swap16();
const digest = createHash("sha1").update(password).update("Mighty Aphrodite").update(content).digest();
const temporary = `${store}.${process.pid}`;
writeFileSync(temporary, Buffer.concat([content, digest]));
renameSync(temporary, store);
