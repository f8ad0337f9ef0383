export interface NamedFile {
  readonly path: string;
  /** `FILE:LINE:COLUMN` in config.yaml. */
  readonly at: string;
  /** `FILE:LINE:COLUMN: registries.HOST.KEY`. */
  readonly where: string;
}

/** A key for signatures: a file, `env://NAME`, or the URI of a KMS. */
export interface NamedKey {
  readonly source: string;
  readonly where: string;
}

/** An environment variable that config.yaml names. */
export interface NamedVariable {
  readonly variable: string;
  readonly where: string;
}

export interface Rule {
  readonly holds: (text: string) => boolean;
  /** Follows the field's name: `is not a host`. */
  readonly problem: string;
  readonly remedy: string;
  /** One form for all spellings of a name. A map has each once. */
  readonly normal?: (text: string) => string;
}

/** Data rather than zod, which takes 25 ms to load: each launch with a config.yaml would wait for it. */
export type Shape =
  | { readonly is: "flag" | "memory" | "file" | "program" | "key" | "variable" }
  | { readonly is: "number"; readonly minimum: number; readonly maximum: number; readonly isWhole?: true }
  | { readonly is: "text"; readonly rule?: Rule; readonly oneOf?: readonly string[] }
  | { readonly is: "list"; readonly of: Shape }
  | MapShape
  | Group;

/** Values by names that the user chooses. */
export interface MapShape {
  readonly is: "map";
  /** Stands for a name in the documentation: `HOST`. */
  readonly name: string;
  readonly rule?: Rule;
  readonly of: Shape;
}

/** Values by names that Slipway knows. */
export interface Group {
  readonly is: "group";
  readonly what: string;
  readonly fields: Readonly<Record<string, Field>>;
  readonly elsewhere?: Readonly<Record<string, string>>;
  readonly together?: readonly [string, string];
  readonly without?: { readonly flag: string; readonly fields: readonly string[]; readonly why: string };
  /** Whether exactly one field must be there. */
  readonly isChoice?: true;
}

export type Field = Shape & {
  readonly about: string;
  readonly isRequired?: true;
  /** Whether nothing may stand after its colon. */
  readonly mayBeEmpty?: true;
};

/** The type of what is read by a {@link Shape}. */
export type ValueOf<S> = S extends { readonly is: "flag" }
  ? boolean
  : S extends { readonly is: "number" | "memory" }
    ? number
    : S extends { readonly is: "text" }
      ? string
      : S extends { readonly is: "file" | "program" }
        ? NamedFile
        : S extends { readonly is: "key" }
          ? NamedKey
          : S extends { readonly is: "variable" }
            ? NamedVariable
            : S extends { readonly is: "list"; readonly of: infer Item }
              ? readonly ValueOf<Item>[]
              : S extends { readonly is: "map"; readonly of: infer Item }
                ? ReadonlyMap<string, ValueOf<Item>>
                : S extends { readonly is: "group"; readonly fields: infer Fields }
                  ? FieldsOf<Fields>
                  : never;

type FieldsOf<Fields> = {
  readonly [Name in keyof Fields as Fields[Name] extends { readonly isRequired: true } ? Name : never]: ValueOf<
    Fields[Name]
  >;
} & {
  readonly [Name in keyof Fields as Fields[Name] extends { readonly isRequired: true } ? never : Name]?: ValueOf<
    Fields[Name]
  >;
};
