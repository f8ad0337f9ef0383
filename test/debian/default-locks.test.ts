import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Lock, parseLock } from "../../src/debian/lock.ts";

const lock = (name: string): Lock => {
  const path = join(import.meta.dirname, "../../bazel/private/debian", `${name}.lock`);
  return parseLock(readFileSync(path, "utf8"), path);
};
/** Version of each package; a build for one architecture alone (`+b1`) is the same version. */
const versions = ({ locked }: Lock) =>
  new Map(locked.map(({ name, version }) => [name, version.replace(/\+b\d+$/, "")]));
const names = ["slim_base", "worker_base", "worker_cuda"];

describe.each(names)("the locks of %s", (name) => {
  const [amd64, arm64] = [lock(`${name}_amd64`), lock(`${name}_arm64`)];

  it("are of the same packages in the same versions for both architectures", () => {
    const { architecture: one, locked: _one, snapshot: _firstSnapshot, ...asked } = amd64;
    const { architecture: two, locked: _two, snapshot: _secondSnapshot, ...askedToo } = arm64;
    expect([one, two]).toEqual(["amd64", "arm64"]);
    expect(askedToo).toEqual(asked);
    expect(versions(arm64)).toEqual(versions(amd64));
  });

  it("name a moment at which Debian's archive has them for good", () => {
    for (const { snapshot } of [amd64, arm64]) expect(snapshot).toMatch(/^\d{8}T\d{6}Z$/);
  });

  it.each([amd64, arm64])("have what was asked for, and nothing that was left out, for $architecture", (each) => {
    const has = versions(each);
    for (const asked of each.packages) expect(has.has(asked), asked).toBe(true);
    for (const excluded of each.excluded) expect(has.has(excluded), excluded).toBe(false);
    for (const { name, path } of each.locked) {
      expect(path).toMatch(new RegExp(`/${name.replaceAll("+", "\\+")}_[^/]+_(${each.architecture}|all)\\.deb$`));
    }
  });
});

describe("the base for GPUs", () => {
  it.each(["amd64", "arm64"])("is the worker's with CUDA's libraries, for %s", (architecture) => {
    const [worker, cuda] = [lock(`worker_base_${architecture}`), lock(`worker_cuda_${architecture}`)];
    const added = cuda.locked.filter(({ name }) => !versions(worker).has(name));
    expect(new Map([...versions(cuda)].filter(([name]) => !added.some((each) => each.name === name)))).toEqual(
      versions(worker),
    );
    expect(added.map(({ name }) => name).sort()).toEqual([
      "libcublas11",
      "libcublaslt11",
      "libcudart11.0",
      "libcufft10",
      "libcurand10",
      "libcusolver11",
      "libcusparse11",
      "libnvrtc-builtins11.8",
      "libnvrtc11.2",
      "libnvtoolsext1",
    ]);
    for (const { path } of added) expect(path).toContain("/non-free/");
    expect([worker.components, cuda.components]).toEqual([["main"], ["main", "non-free"]]);
  });

  it("has what a worker needs", () => {
    expect(lock("worker_base_amd64").packages).toEqual(expect.arrayContaining(["ca-certificates", "git", "python3"]));
  });
});
