/** Content of a file in a layer: bytes, or a file that is read later. */
export type Content = { readonly bytes: Uint8Array } | { readonly file: string };

/** Content from another source: `read` fills `target` from byte `at` on. */
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
  /** The entry's origin in errors. Default: derived from the entry. */
  readonly origin?: string;
}

/** One entry of a layer. Every entry's time is the epoch. */
export type TarEntry =
  | (Common & { readonly type: "file"; readonly content: Content | EmbeddedContent })
  | (Common & { readonly type: "directory" })
  /** `target` is the link's uninterpreted text. */
  | (Common & { readonly type: "symlink"; readonly target: string })
  /** `target` is the path, in the image, of a file of the same layer. */
  | (Common & { readonly type: "hardlink"; readonly target: string });
