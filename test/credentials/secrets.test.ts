import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { SecretWatch } from "./testdata/secrets.ts";

// Of no other test: it stands in a command line, where a watch beside this one would find it.
const secret = "ein-wort-fuer-alle-augen";

it("the watch sees a secret in output, command lines and files, also in base64 and packed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const watch = new SecretWatch([secret], folder);
  const env = { PATH: process.env["PATH"] ?? "" };
  await watch.run("sh", ["-c", "cat"], { env, input: `said ${secret}` });
  await watch.run("sh", ["-c", "read line", secret], { env });
  for (const user of ["", "u", "me", "you"]) {
    writeFileSync(join(folder, `base64 of ${user}`), Buffer.from(`${user}:${secret}!`).toString("base64"));
  }
  // A layer: an archive, packed. Its name says nothing of that.
  const archive = Buffer.from(Array.from({ length: 20_000 }, (_, n) => (n === 9000 ? secret : `line ${n}\n`)).join(""));
  writeFileSync(join(folder, "by gzip"), gzipSync(archive));
  writeFileSync(join(folder, "by gzip, cut"), gzipSync(Buffer.concat([archive, randomBytes(9000)])).subarray(0, -1000));
  writeFileSync(join(folder, "by zstd"), zstdCompressSync(archive));
  mkdirSync(join(folder, "below/further"), { recursive: true });
  writeFileSync(join(folder, "below/further/binary"), archive);
  symlinkSync("below", join(folder, "link"));
  const allowed = join(folder, "allowed");
  writeFileSync(allowed, secret);
  const where = watch.findings([allowed]).map((finding) => finding.replace(`${secret} in `, "").replace(folder, ""));
  expect(where.toSorted()).toEqual([
    "/base64 of ",
    "/base64 of me",
    "/base64 of u",
    "/base64 of you",
    "/below/further/binary",
    "/by gzip, cut, unpacked",
    "/by gzip, unpacked",
    "/by zstd, unpacked",
    "a command line",
    "sh -c cat",
  ]);
});

it("the watch finds in what it has seen a secret that it is told later", async () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const watch = new SecretWatch([], folder);
  watch.saw("a log", secret);
  writeFileSync(join(folder, "new"), secret);
  expect(watch.files()).toEqual([join(folder, "new")]);
  expect(watch.findings([])).toEqual([]);
  watch.protect(secret);
  expect(watch.findings([])).toEqual([`${secret} in a log`, `${secret} in ${join(folder, "new")}`]);
});
