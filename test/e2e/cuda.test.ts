import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratchFolder, Workspace } from "./workspace.ts";

// The base is half a gigabyte of packages, which no other test asks for: so it has a Bazel of its own.
const workspace = new Workspace("cuda");
const root = join(scratchFolder(), "root");
const inside = (...command: string[]) =>
  execFileSync("/usr/sbin/chroot", ["--userspec=1000:1000", root, ...command], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/usr/sbin" },
  });

let image: { User: string; Env: string[] };
let layers: { digest: string; size: number }[];

beforeAll(async () => {
  // What is uncompressed need not be compressed first to be looked at.
  const built = ["@worker_cuda//image", "--output_groups=oci_layout", "--//bazel/settings:compression=none"];
  await workspace.stdout(["build", ...built]);
  const layout = (await workspace.stdout(["cquery", "--output=files", ...built])).trim();
  const folder = join((await workspace.stdout(["info", "execution_root"])).trim(), layout);
  const blob = (digest: string) => join(folder, "blobs", digest.replace(":", "/"));
  const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
  const manifest = json(blob(json(join(folder, "index.json")).manifests[0].digest));
  image = json(blob(manifest.config.digest)).config;
  layers = manifest.layers;
  mkdirSync(root);
  for (const { digest } of layers) {
    execFileSync("tar", ["-xpf", blob(digest), "-C", root, "--same-owner", "--numeric-owner"]);
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("worker_cuda", () => {
  it("asks NVIDIA's container runtime for every GPU, and for a driver that is new enough", () => {
    expect(image.User).toBe("1000:1000");
    expect(image.Env).toEqual(
      expect.arrayContaining([
        "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
        "NVIDIA_REQUIRE_CUDA=cuda>=11.8",
        "NVIDIA_VISIBLE_DEVICES=all",
      ]),
    );
  });

  const libraries = [
    "libcudart.so.11.0",
    "libcublas.so.11",
    "libcublasLt.so.11",
    "libcufft.so.10",
    "libcurand.so.10",
    "libcusolver.so.11",
    "libcusparse.so.11",
    "libnvrtc.so.11.2",
    "libnvToolsExt.so.1",
  ];

  it("has CUDA's libraries in the loader's cache", () => {
    const cache = inside("/usr/sbin/ldconfig", "-p");
    for (const name of libraries)
      expect(cache).toMatch(new RegExp(`^\\t${name.replaceAll(".", "\\.")} \\(.*=> /lib/`, "m"));
  });

  it("loads them all, and asks them for their version, without a GPU", () => {
    const script = `
import ctypes
loaded = {name: ctypes.CDLL(name) for name in ${JSON.stringify(libraries)}}
cublas, major, minor, count = (ctypes.c_int() for _ in range(4))
assert loaded["libcublas.so.11"].cublasGetProperty(0, ctypes.byref(cublas)) == 0
assert loaded["libnvrtc.so.11.2"].nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)) == 0
cudart = loaded["libcudart.so.11.0"]
cudart.cudaGetErrorName.restype = ctypes.c_char_p
# Without a driver, the runtime says that it has none.
status = cudart.cudaGetErrorName(cudart.cudaGetDeviceCount(ctypes.byref(count))).decode()
print(cublas.value, major.value, minor.value, status)
`;
    expect(inside("/usr/bin/python3", "-c", script)).toMatch(
      /^11 11 8 cuda(Success|ErrorInsufficientDriver|ErrorNoDevice)\n$/,
    );
  });
});
