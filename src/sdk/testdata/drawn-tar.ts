/** An entry of a tar, as hostile-tars.json and the draws of tests have it. python/tests/folder_tar_test.py builds the same bytes. */
export interface DrawnEntry {
  readonly path: string;
  readonly flag?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly content?: string;
  /** The size in the header. Default: that of the content. */
  readonly claim?: number;
  readonly pax?: readonly (readonly [key: string, value: string])[];
  readonly paxRaw?: string;
  readonly paxPath?: string;
  /** Bytes of the header at an offset. Those of the checksum come after it was computed. */
  readonly patch?: readonly (readonly [offset: number, latin1: string])[];
}

/** @param outside stands for the absolute path `OUTSIDE` */
export function drawnTar(entries: readonly DrawnEntry[], outside: string, end = 1024): Buffer {
  const put = (text: string) => text.replace("OUTSIDE", outside);
  const blocks = entries.flatMap((entry) => {
    const { pax, paxRaw, content = "" } = entry;
    const body = paxRaw ?? pax?.map(([key, value]) => record(key, put(value))).join("");
    const extension =
      body === undefined ? [] : [block({ path: entry.paxPath ?? "pax", flag: "x", mode: 0o644 }, body), padded(body)];
    const own = { ...entry, path: put(entry.path), link: put(entry.link ?? "") };
    return [...extension, block(own, content), padded(content)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(end)]);
}

function record(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function padded(content: string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function block({ path, flag = "0", link = "", mode = 0o755, claim, patch = [] }: DrawnEntry, content: string): Buffer {
  const bytes = Buffer.alloc(512);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  bytes.write(path.slice(0, 100), 0);
  const size = octal(claim ?? Buffer.byteLength(content), 11);
  bytes.write(`${octal(mode, 7)}\x000000000\x000000000\x00${size}\x0000000000000\x00        ${flag}`, 100, "latin1");
  bytes.write(link.slice(0, 100), 157);
  bytes.write("ustar\x0000", 257, "latin1");
  bytes.write("0000000\x000000000", 329, "latin1");
  for (const [offset, text] of patch) bytes.write(text, offset, "latin1");
  if (patch.some(([offset]) => offset === 148)) return bytes;
  bytes.write(`${octal(bytes.reduce((sum, byte) => sum + byte), 6)}\0 `, 148, "latin1");
  return bytes;
}
