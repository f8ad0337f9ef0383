import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { SecretWatch } from "./testdata/secrets.ts";

const secret = "ein-sehr-geheimes-wort";

it("the watch sees a secret in output, command lines and files, also in base64", async () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const watch = new SecretWatch([secret], folder);
  const env = { PATH: process.env["PATH"] ?? "" };
  await watch.run("sh", ["-c", "cat"], { env, input: `said ${secret}` });
  await watch.run("sh", ["-c", "read line", secret], { env });
  for (const user of ["", "u", "me", "you"]) {
    writeFileSync(join(folder, `base64 of ${user}`), Buffer.from(`${user}:${secret}!`).toString("base64"));
  }
  const allowed = join(folder, "allowed");
  writeFileSync(allowed, secret);
  const where = watch.findings([allowed]).map((finding) => finding.replace(`${secret} in `, "").replace(folder, ""));
  expect(where.toSorted()).toEqual([
    "/base64 of ",
    "/base64 of me",
    "/base64 of u",
    "/base64 of you",
    "a command line",
    "sh -c cat",
  ]);
});
