import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sha256 } from "../oci/digest.ts";
import { StoreLayout } from "./store/layout.ts";
import { manifestOf, pushBlob, pushImage, putManifest, serverOfTest, stateOfTest } from "./testdata/fixture.ts";

const megabyte = 1024 * 1024;

function mount(folder: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", folder], { stdio: "ignore" });
}

/** Only root may mount, and not in every sandbox. */
function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "slipway-mount-"));
  try {
    mount(folder);
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function smallDisk() {
  const { paths } = await stateOfTest();
  await mkdir(paths.data, { recursive: true, mode: 0o700 });
  mount(paths.data);
  onTestFinished(() => void execFileSync("umount", ["--lazy", paths.data]));
  return serverOfTest({ paths });
}

describe.runIf(mayMount())("a full disk", () => {
  it("fails an upload by name, frees what it took, and harms nothing else", async () => {
    const { ask, paths } = await smallDisk();
    const before = await pushImage(ask, "a", "v1", ["x".repeat(megabyte)]);
    const big = Buffer.alloc(8 * megabyte, "big");

    const whole = await ask("POST", `/v2/a/blobs/uploads/?digest=${sha256(big)}`, { body: big });
    expect([whole.status, whole.code]).toEqual([507, "STORAGE_FULL"]);
    expect(whole.text).toContain(`The disk of ${paths.data} is full.`);

    const location = (await ask("POST", "/v2/a/blobs/uploads/")).headers.location as string;
    expect((await ask("PATCH", location, { body: big })).status).toBe(507);
    expect((await ask("GET", location)).code).toBe("BLOB_UPLOAD_UNKNOWN");

    expect(await readdir(new StoreLayout(paths.data).uploads("a"))).toEqual([]);
    expect((await ask("HEAD", `/v2/a/blobs/${sha256(big)}`)).status).toBe(404);
    expect((await ask("HEAD", "/v2/a/manifests/v1")).headers["docker-content-digest"]).toBe(before);
    await pushBlob(ask, "a", "y".repeat(2 * megabyte));
  });

  it("leaves a tag as it was", async () => {
    const { ask, paths } = await smallDisk();
    const before = await pushImage(ask, "a", "v1", ["one"]);
    await pushBlob(ask, "a", "two");
    for (let size = 2 * megabyte, n = 0; size >= 1024; n += 1) {
      const content = Buffer.alloc(size, String(n));
      const { status } = await ask("POST", `/v2/a/blobs/uploads/?digest=${sha256(content)}`, { body: content });
      if (status === 507) size /= 2;
    }
    const manifest = manifestOf(["two"], { annotations: { filler: "x".repeat(64 * 1024) } });
    const next = await putManifest(ask, "a", "v1", manifest);
    expect([next.status, next.code]).toEqual([507, "STORAGE_FULL"]);
    expect((await ask("HEAD", "/v2/a/manifests/v1")).headers["docker-content-digest"]).toBe(before);
    expect(await readdir(new StoreLayout(paths.data).temporary)).toEqual([]);
  });
});
