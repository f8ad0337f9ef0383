/** Content of a file in a layer: bytes, or another file, which is read when its turn comes. */
export type Content = { readonly bytes: Uint8Array } | { readonly file: string };

/** Content that lies inside something else: `read` fills the whole of `target` from byte `at` on; it is called in order. */
export interface EmbeddedContent {
  readonly size: number;
  readonly read: (target: Uint8Array, at: number) => void;
}

interface Common {
  /** Path in the image: relative, `/` between components, no `.` or `..`. */
  readonly path: string;
  /** Permission bits. Default: 0755, for files and directories alike. */
  readonly mode?: number;
  /** Numeric owner. Default: 0. */
  readonly uid?: number;
  /** Numeric group. Default: 0. */
  readonly gid?: number;
  /** Where the entry comes from, for errors. Default: what the entry itself tells. */
  readonly origin?: string;
}

/** One entry of a layer. Every entry's time is the epoch. */
export type TarEntry =
  | (Common & { readonly type: "file"; readonly content: Content | EmbeddedContent })
  | (Common & { readonly type: "directory" })
  /** `target` is what the link says, uninterpreted. */
  | (Common & { readonly type: "symlink"; readonly target: string })
  /** `target` is the path, in the image, of a file of the same layer. */
  | (Common & { readonly type: "hardlink"; readonly target: string });
