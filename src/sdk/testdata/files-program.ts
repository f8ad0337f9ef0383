/** A program for the tests of files, folders and large values: its first argument says which of its calls to make. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { type FileValue, file, folder, inImage, type Json, main, mapInImage, scratchFolder } from "../index.ts";

const out = process.env["OUT"] ?? "";

const write = inImage("write", (text: string, name: string) => {
  const path = join(scratchFolder(), name);
  writeFileSync(path, text);
  return { files: [file(relative(process.cwd(), path))], note: "written" };
});
const writeLarge = inImage("writeLarge", (text: string) => {
  const path = join(scratchFolder(), "large.bin");
  writeFileSync(path, text);
  return file(path);
});
const read = inImage("read", async (value: FileValue) => ({
  name: value.name,
  digest: value.digest,
  size: value.size,
  base: basename(value.path),
  text: readFileSync(value.path, "utf8"),
  same: Buffer.from(await value.read()).equals(readFileSync(value.path)),
}));
const through = inImage("through", (value: { readonly model: FileValue }) => [value.model]);
const nested = inImage("nested", async (value: FileValue) => {
  writeFileSync("/tmp/inner.txt", "inner");
  return [(await read(value)).text, (await read(file("/tmp/inner.txt"))).text];
});
const writeFolder = inImage("writeFolder", () => {
  const path = join(scratchFolder(), "tree");
  mkdirSync(join(path, "sub/empty"), { recursive: true });
  writeFileSync(join(path, "sub/run.sh"), "#!/bin/sh\n");
  chmodSync(join(path, "sub/run.sh"), 0o755);
  writeFileSync(join(path, "größe.txt"), "12");
  symlinkSync("../größe.txt", join(path, "sub/link"));
  return folder(path);
});
const list = inImage("list", (value: FileValue) => ({
  files: readdirSync(value.path, { recursive: true, encoding: "utf8" }).sort(),
  link: readFileSync(join(value.path, "sub/link"), "utf8"),
  isExecutable: (statSync(join(value.path, "sub/run.sh")).mode & 0o111) === 0o111,
  base: basename(value.path),
}));
const repeat = inImage("repeat", (text: string, count: number) => text.repeat(count));
const length = inImage("length", (text: string) => text.length);
const likeAFile = inImage("likeAFile", (value: Json) => value);
/** Bytes of memory that this process had at most. */
const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
const writeZeros = inImage("writeZeros", (size: number) => {
  const path = join(scratchFolder(), "zeros.bin");
  writeFileSync(path, "");
  truncateSync(path, size);
  return file(path);
});
const passZeros = inImage("passZeros", (value: FileValue) => {
  return { value, size: statSync(value.path).size, peak: peak() };
});
const keep = inImage(
  "keep",
  (text: string) => {
    console.log("writing");
    const path = join(scratchFolder(), "kept.txt");
    writeFileSync(path, text);
    return { made: file(path) };
  },
  { keep: true },
);
const missing = inImage("missing", () => file("/tmp/nothing"));

const scenarios: Record<string, () => Promise<Json>> = {
  result: async () => {
    const { files, note } = await write("hello", "model.bin");
    const [model] = files as [FileValue];
    await model.save(join(out, "deep/saved.bin"));
    const bytes = Buffer.from(await model.read()).toString();
    return { note, name: model.name, size: model.size, digest: model.digest, bytes };
  },
  argument: () => read(file(process.env["DATA"] ?? "")),
  chain: async () => {
    const { files } = await write("chained", "c.txt");
    const [again] = await through({ model: files[0] as FileValue });
    return read(again as FileValue);
  },
  map: async () => {
    const data = file(process.env["DATA"] ?? "");
    const read2 = await mapInImage([data, data, await writeLarge("large")], read);
    return read2.map(({ text }) => text);
  },
  nested: () => nested(file(process.env["DATA"] ?? "")),
  folder: async () => {
    const made = await writeFolder();
    await made.save(join(out, "tree"));
    return { ...(await list(made)), name: made.name, digest: made.digest };
  },
  ownFolder: async () => {
    const made = folder(process.env["DATA"] ?? "");
    return list(made);
  },
  large: async () => [(await repeat("x", 20 * 1024 * 1024)).length, await length("y".repeat(20 * 1024 * 1024))],
  largeMap: async () => mapInImage(["a".repeat(20 * 1024 * 1024), "b"], length),
  like: () => likeAFile({ $slipway: "file", digest: "x", deep: [{ $slipway: "object", value: 1 }] }),
  zeros: async () => {
    const first = await passZeros(await writeZeros(Number(process.env["SIZE"])));
    const { size, digest } = first.value as FileValue;
    return { size, digest, peak: peak(), peakOfFunction: first.peak, seen: first.size };
  },
  keep: async () => {
    const { made } = await keep("kept");
    return { text: (await read(made)).text, saved: Buffer.from(await made.read()).toString() };
  },
  missing: () => missing(),
  missingArgument: () => read(file("nowhere.csv")),
  early: async () => file("nowhere.csv").digest,
  writeTwice: async () => (await writeLarge("kept")).digest,
  none: () => length("abc"),
};

await main(async () => {
  const run = scenarios[process.argv[2] ?? ""];
  if (run === undefined) throw new Error("no such scenario");
  console.log(JSON.stringify(await run()));
});
