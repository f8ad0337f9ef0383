import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../core/printable.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import { composeModel, type ModelFile, modelType, packType, tableType } from "./model.ts";
import { parseModel, parseModelManifest } from "./parse.ts";
import { PathSet, pathProblem } from "./paths.ts";

const digest = sha256("content");
const file = (path: string, more: object = {}): ModelFile => ({ path, digest, size: 7, isExecutable: false, ...more });

function read(manifest: Uint8Array, config: Uint8Array) {
  return parseModel(parseModelManifest(manifest, "m"), config, "m");
}

/** A manifest as somebody with bad intentions would write it. */
function forged(layers: readonly object[], table?: unknown, more: object = {}) {
  const config = table === undefined ? Buffer.from("{}") : Buffer.from(canonicalJson(table));
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: modelType,
    config: {
      mediaType: table === undefined ? "application/vnd.oci.empty.v1+json" : tableType,
      digest: sha256(config),
      size: config.length,
    },
    layers,
    ...more,
  });
  return () => read(manifest, config);
}

const layer = (path: string | undefined, more: object = {}) => ({
  mediaType: "application/octet-stream",
  digest,
  size: 7,
  ...(path === undefined ? {} : { annotations: { "org.opencontainers.image.title": path } }),
  ...more,
});

describe("a model that somebody made", () => {
  it.each([
    "../outside",
    "a/../../b",
    "./a",
    "/etc/passwd",
    "a//b",
    "a/",
    "",
    "..\\..\\a",
    "a\u0000b",
    "a\u001b[2Jb",
    "x".repeat(256),
    `${"x/".repeat(600)}x`,
  ])("may not have the path %j", (path) => {
    const error = userErrorWith("model-invalid", printable(path));
    expect(forged([layer(path)])).toThrow(error);
    const table = { packs: [{ digest, files: [{ path, digest, size: 7 }] }] };
    expect(forged([layer(undefined, { mediaType: packType })], table)).toThrow(error);
  });

  it.each([
    [["a", "a"], '"a" is there twice'],
    [["a", "A"], 'differs from "a" only in case or form'],
    [["\u00e9", "e\u0301"], "only in case or form"],
    [["a", "a/b"], 'is below "a", which is a file'],
    [["a/b", "a"], "is a file and a folder"],
    [["a/b", "A/c"], "is below a folder"],
  ])("may not have %j", (paths, problem) => {
    expect(forged(paths.map((path) => layer(path)))).toThrow(problem);
    expect(forged(paths.map((path) => layer(path)))).toThrow(userErrorWith("model-invalid", paths[1]));
  });

  it("may not have layers of other kinds, packs without contents, contents without packs", () => {
    const pack = layer(undefined, { mediaType: packType });
    const listed = (files: readonly object[]) => ({ packs: [{ digest, files }] });
    expect(forged([layer(undefined)])).toThrow("is a file without org.opencontainers.image.title");
    expect(forged([layer("a", { mediaType: "application/x-link" })])).toThrow("is a layer of type");
    expect(forged([pack])).toThrow("is a pack whose files are not listed");
    expect(forged([pack, pack], listed([]))).toThrow("is a pack that is listed twice");
    expect(forged([layer("a")], listed([]))).toThrow("is listed as a pack, but is not one");
    expect(forged([pack], { packs: [...listed([]).packs, ...listed([]).packs] })).toThrow("its files have 0");
    expect(forged([pack], listed([{ path: "a", digest, size: 6 }]))).toThrow(
      "is a pack of 7 bytes, but its files have 6",
    );
    expect(forged([pack], listed([{ path: "a", digest, size: -7 }]))).toThrow(
      userErrorWith("model-invalid", "packs[0].files[0].size"),
    );
    expect(forged([{ ...pack, size: 2 ** 40 }], listed([]))).toThrow("is a pack of 1099511627776 bytes");
    expect(forged([])).toThrow("m has no files");
    const sizes = [layer("a", { size: Number.MAX_SAFE_INTEGER }), layer("b", { size: 8 })];
    expect(forged(sizes)).toThrow("makes it larger than any disk");
    const sha512: Digest = `sha512:${"0".repeat(128)}`;
    expect(forged([layer("a", { digest: sha512 })])).toThrow("has a digest that is not sha256");
    expect(forged([layer("a")], undefined, { artifactType: "application/x" })).toThrow(
      'm is not a model; it is "application/x"',
    );
    expect(forged([layer("a")], undefined, { config: { mediaType: "x", digest, size: 2 ** 40 } })).toThrow(
      "list of packs",
    );
  });

  it("may not have more files than a folder should", () => {
    const files = Array.from({ length: 200_001 }, (_, index) => ({ path: `f/${index}`, digest, size: 0 }));
    const pack = layer(undefined, { mediaType: packType, size: 0 });
    expect(forged([pack], { packs: [{ digest, files }] })).toThrow(userErrorWith("model-invalid", "m"));
  });

  it("may not be told with another configuration than its own", () => {
    const { manifest } = composeModel([file("a")], []);
    expect(() => read(manifest, Buffer.from("{ }"))).toThrow(userErrorWith("model-invalid", "m"));
  });
});

const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const names = fc.array(fc.oneof(name, fc.constantFrom(".", "..", "", "a", "A")), { maxLength: 4 });
const paths = fc.array(
  names.map((each) => each.join("/")),
  { maxLength: 20 },
);

describe("any paths", () => {
  it("stay below their folder when they are taken, and are read back as they were", () => {
    fc.assert(
      fc.property(paths, (all) => {
        const set = new PathSet();
        const taken = all.filter((path) => pathProblem(path) === undefined && set.add(path) === undefined);
        for (const path of taken) {
          const escaped = path.replaceAll("%", "%25").replaceAll("?", "%3f").replaceAll("#", "%23");
          expect(new URL(escaped, "file:///root/").pathname).toMatch(/^\/root\/./);
          expect(path.split("/")).not.toContain("..");
        }
        if (taken.length === 0) return;
        const singles = taken.map((path) => file(path));
        const { manifest, config } = composeModel(singles, []);
        const back = read(manifest, config).files.map(({ path }) => path);
        expect(back.toSorted()).toEqual(taken.toSorted());
      }),
      { numRuns: 500 },
    );
  });

  it("are refused one by one or together, never by a crash", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (path) => {
        const attempt = forged([layer(path)]);
        if (pathProblem(path) === undefined) expect(attempt().files).toHaveLength(1);
        else expect(attempt).toThrow(userErrorWith("model-invalid"));
      }),
      { numRuns: 1000 },
    );
  });

  it("in forged tables give an error", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (table) => {
        const attempt = forged([layer(undefined, { mediaType: packType })], table);
        expect(attempt).toThrow(userErrorWith("model-invalid"));
      }),
      { numRuns: 500 },
    );
  });
});
