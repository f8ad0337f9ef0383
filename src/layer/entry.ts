export type Content = { readonly bytes: Uint8Array } | { readonly file: string };

/** `read` fills `target` from byte `at` on. */
export interface EmbeddedContent {
  readonly size: number;
  readonly read: (target: Uint8Array, at: number) => void;
}

interface Common {
  /** Relative, `/` between components, no `.` or `..`. */
  readonly path: string;
  /** Default: 0755, for files and directories alike. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** For errors. Default: derived from the entry. */
  readonly origin?: string;
}

/** Every entry's time is the epoch. */
export type TarEntry =
  | (Common & { readonly type: "file"; readonly content: Content | EmbeddedContent })
  | (Common & { readonly type: "directory" })
  | (Common & { readonly type: "symlink"; readonly target: string })
  /** The target is the path, in the image, of a file of the same layer. */
  | (Common & { readonly type: "hardlink"; readonly target: string });
