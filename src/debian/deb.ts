import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { limited, ReadLimit } from "../core/read-whole.ts";
import { listAr, noPackage } from "./ar.ts";
import { type Paragraph, parseParagraphs } from "./deb822.ts";
import { decompressAll, decompressed, tooLarge } from "./decompress.ts";
import { indexTar, type TarEntry } from "./tar-index.ts";

/** deb(5), with the data unpacked to a tar file. */
export interface OpenedPackage {
  readonly name: string;
  /** Of its `control` file. */
  readonly control: Paragraph;
  readonly controlText: string;
  readonly controlFiles: ReadonlyMap<string, string>;
  readonly dataPath: string;
  readonly entries: readonly TarEntry[];
}

/** Bytes of a package's unpacked data: several times those of CUDA's largest. */
const maximumData = 16 * 1024 ** 3;

/** Both become names of files in dpkg's database. */
const safeName = /^[a-z0-9][a-z0-9+.-]{0,127}$/;

/** The caller removes `dataPath`, which gets the uncompressed data. */
export async function openDeb(path: string, dataPath: string, mostData = maximumData): Promise<OpenedPackage> {
  await using file = await open(path);
  const members = await listAr(file, path);
  const source = (prefix: string) => {
    const member = members.find(({ name }) => name === prefix || name.startsWith(`${prefix}.`));
    if (member === undefined || member.size === 0) {
      throw noPackage(path, `it has no ${prefix} member`);
    }
    return {
      name: member.name,
      open: () =>
        createReadStream(path, {
          start: member.offset,
          end: member.offset + member.size - 1,
          highWaterMark: 1 << 20,
        }),
    };
  };
  const controlFiles = await readControl(source("control.tar"), path);
  const controlText = controlFiles.get("control") ?? "";
  const [control, ...others] = parseParagraphs(controlText);
  const name = control?.get("package");
  // The text becomes a part of dpkg's list of all packages.
  if (control === undefined || name === undefined || others.length > 0) {
    throw noPackage(path, "it has no control file that names one package");
  }
  for (const field of ["package", "architecture"] as const) {
    const value = control.get(field) ?? "all";
    if (!safeName.test(value))
      throw noPackage(path, `its control file has the ${field} ${JSON.stringify(value.slice(0, 80))}`);
  }
  const data = source("data.tar");
  await pipeline(limited(decompressed(data.name, data.open), { bytes: mostData }), createWriteStream(dataPath)).catch(
    (cause: Error) => {
      throw cause instanceof ReadLimit ? tooLarge(`${path}: ${data.name}`, mostData, cause) : cause;
    },
  );
  await using dataFile = await open(dataPath);
  return {
    name,
    control,
    controlText,
    controlFiles,
    dataPath,
    entries: await indexTar(dataFile, `${path}: ${data.name}`),
  };
}

/** The largest unpacked control member in Debian has 7 MB. */
const maximumControl = 32 * 1024 * 1024;

async function readControl(member: { name: string; open: () => Readable }, path: string): Promise<Map<string, string>> {
  const tar = await decompressAll(member.name, member.open, maximumControl);
  const reader = {
    stat: async () => ({ size: tar.length }),
    read: async (buffer: Buffer, at: number, size: number, position: number) => ({
      buffer,
      bytesRead: tar.copy(buffer, at, position, position + size),
    }),
  };
  const entries = await indexTar(reader, `${path}: ${member.name}`);
  return new Map(
    entries
      .filter(({ type }) => type === "file")
      .map(({ path, offset, size }) => [path, tar.toString("utf8", offset, offset + size)]),
  );
}
