export interface FileView {
  readonly path: string;
  readonly size: number;
  /** Returns at most `length` bytes from byte `at` on; fewer where the file ends. */
  read(at: number, length: number): Buffer;
}

export function viewOf(path: string, size: number, fill: (target: Buffer, at: number) => void): FileView {
  return {
    path,
    size,
    read(at, length) {
      const bytes = Buffer.alloc(Math.max(Math.min(length, size - at), 0));
      if (bytes.length > 0) fill(bytes, at);
      return bytes;
    },
  };
}
