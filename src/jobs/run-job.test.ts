import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith } from "../core/testdata/reported.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { JobFile } from "./job-file.ts";
import { startJob } from "./run-job.ts";

afterEach(() => vi.unstubAllEnvs());

it("refuses an image without the signature that the configuration requires, before anything is submitted", async () => {
  await using registry = await FakeRegistry.start();
  const digest = new StoredImages(registry, "team/app").image({});
  const folder = temporaryFolder();
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(join(folder, "my.pub"), publicKey.export({ format: "pem", type: "spki" }));
  const config = join(folder, "config.yaml");
  writeFileSync(config, `images: {${registry.host}/team: {require: {signature: {key: my.pub}}}}`);
  vi.stubEnv("SLIPWAY_CONFIG", config);
  vi.stubEnv("XDG_STATE_HOME", folder);
  const file = join(folder, "job.json");
  const interpreter = { ContainerAtDigest: { repository: `${registry.host}/team/app`, digest } };
  writeFileSync(file, JSON.stringify({ interpreter, command: ["true"] }));
  const run = () => startJob(new JobFile({ file }), { engine: "kubernetes", tell: () => {} });
  await expect(run()).rejects.toThrow(failureWith("signature-missing", `${registry.host}/team/app@${digest}`));
  await expect(run()).rejects.toThrow(join(folder, "my.pub"));
  expect(registry.log.every((each) => each.startsWith("GET ") || each.startsWith("HEAD "))).toBe(true);
});
