import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isRecord } from "../core/is-record.ts";
import { type Document, formatPath, hiddenKey, isFieldName, shownKey } from "./document.ts";
import { type Mistake, unknownKey } from "./mistake.ts";
import { parseBytes } from "./quantity.ts";
import type { Group, MapShape, Shape, ValueOf } from "./shape.ts";

type Path = readonly PropertyKey[];
type Values = Readonly<Record<string, unknown>>;

/**
 * Files that the document names are relative to `path`.
 *
 * @throws UserError with place, field, nearest name and remedy of every mistake, but no value and no key that looks
 *   unlike one: they may be secrets in the wrong place
 */
export function readShape<S extends Shape>(shape: S, document: Document, path: string): ValueOf<S> {
  const reader = new ShapeReader(document, dirname(path));
  const value = isEmpty(document.value) ? {} : document.value;
  const read = reader.read(shape, value, []);
  if (reader.mistakes.length > 0) throw document.error(reader.mistakes);
  return read as ValueOf<S>;
}

class ShapeReader {
  readonly mistakes: Mistake[] = [];
  readonly #document: Document;
  readonly #folder: string;
  /** Keys that may be secrets. */
  readonly #hidden = new Set<string>();

  constructor(document: Document, folder: string) {
    this.#document = document;
    this.#folder = folder;
  }

  read(shape: Shape, value: unknown, path: Path): unknown {
    switch (shape.is) {
      case "group":
        return this.#group(shape, value, path);
      case "map":
        return this.#map(shape, value, path);
      case "list":
        if (!Array.isArray(value)) return this.#wrong(path, "is not a list", "Write a line with - for each.");
        return value.map((item, index) => this.read(shape.of, item, [...path, index]));
      case "flag":
        return typeof value === "boolean"
          ? value
          : this.#wrong(path, "is neither true nor false", "Write true or false.");
      case "number": {
        const { minimum, maximum, isWhole } = shape;
        const isRight = typeof value === "number" && value >= minimum && value <= maximum;
        if (isRight && (!isWhole || Number.isInteger(value))) return value;
        const kind = isWhole ? "a whole number" : "a number";
        return this.#wrong(path, `is not ${kind} from ${minimum} to ${maximum}`, "Correct it, without quotes.");
      }
      case "memory": {
        const bytes = typeof value === "string" ? parseBytes(value) : value;
        if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
        return this.#wrong(path, "is not an amount of memory", "Write it like 512MiB, 2GB, or a number of bytes.");
      }
      default:
        return this.#text(shape, value, path);
    }
  }

  #text(shape: Exclude<Shape, { is: "list" }>, value: unknown, path: Path): unknown {
    if (typeof value !== "string" || value === "" || value.includes("\0")) {
      const isPlain = typeof value === "number" || typeof value === "boolean";
      return this.#wrong(path, "is not a text", isPlain ? "Put it in quotes." : "Write a text.");
    }
    if (shape.is === "text") {
      const { rule, oneOf } = shape;
      if (oneOf && !oneOf.includes(value)) {
        return this.#wrong(path, `is none of ${oneOf.join(", ")}`, "Write one of them, or remove the field.");
      }
      if (rule && !rule.holds(value)) return this.#wrong(path, rule.problem, rule.remedy);
      return rule?.normal?.(value) ?? value;
    }
    const at = this.#document.placeOf(path);
    const where = `${at}: ${this.#name(path)}`;
    if (shape.is === "variable") return { variable: value, where };
    if (shape.is === "key") return { source: value.includes("://") ? value : this.#file(value), where };
    return { path: shape.is === "program" && !value.includes("/") ? value : this.#file(value), at, where };
  }

  #file(name: string): string {
    return name.startsWith("~/") ? join(homedir(), name.slice(2)) : resolve(this.#folder, name);
  }

  #map({ rule, of }: MapShape, value: unknown, path: Path): unknown {
    const found = new Map<string, unknown>();
    for (const [name, item] of this.#entries(value, path)) {
      const itemPath = [...path, name];
      if (rule && !rule.holds(name)) {
        this.#hidden.add(name);
        this.#wrong(itemPath, rule.problem, rule.remedy, true);
      }
      const normal = rule?.normal?.(name) ?? name;
      if (found.has(normal)) this.#wrong(itemPath, "is set twice", "Remove one of them.", true);
      found.set(normal, this.read(of, item, itemPath));
    }
    return found;
  }

  #group(shape: Group, value: unknown, path: Path): unknown {
    const { what, fields, elsewhere } = shape;
    const given = this.#entries(value, path);
    const names = new Set(given.map(([name]) => name));
    const meant = new Set<string>();
    for (const name of names) {
      if (Object.hasOwn(fields, name)) continue;
      const unknown = unknownKey([...path, name], what, Object.keys(fields), elsewhere);
      if (unknown.meant === undefined && !isFieldName(name)) this.#hidden.add(name);
      else if (unknown.meant !== undefined) meant.add(unknown.meant);
      this.#add(unknown.mistake);
    }
    if (value === undefined || isRecord(value)) this.#checkPresence(shape, names, meant, value as Values, path);
    return Object.fromEntries(
      given.flatMap(([name, each]) => {
        const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (!field || (field.mayBeEmpty && isEmpty(each))) return [];
        return [[name, this.read(field, each, [...path, name])]];
      }),
    );
  }

  #checkPresence(
    { fields, together, without, isChoice }: Group,
    names: ReadonlySet<string>,
    meant: ReadonlySet<string>,
    value: Values,
    path: Path,
  ): void {
    for (const [name, field] of Object.entries(fields)) {
      if (!field.isRequired || names.has(name) || meant.has(name)) continue;
      this.#wrong([...path, name], "is missing", `Add it: ${field.about.replaceAll("`", "").replace(/\. .*/, "")}.`);
    }
    const chosen = Object.keys(fields).filter((name) => names.has(name) || meant.has(name)).length;
    if (isChoice && chosen !== 1) {
      const problem = `has ${chosen === 0 ? "none" : "more than one"} of ${Object.keys(fields).join(", ")}`;
      this.#wrong(path, problem, "Write one of them.", true);
    }
    for (const [one, other] of together ? [together, together.toReversed()] : []) {
      if (one === undefined || other === undefined || !names.has(one) || names.has(other) || meant.has(other)) continue;
      this.#wrong([...path, one], `is set without ${other}`, "Set both.", true);
    }
    const other = without?.fields.find((name) => names.has(name));
    if (without && other !== undefined && value[without.flag] === true) {
      this.#wrong([...path, without.flag], `is set beside ${other}, ${without.why}`, "Remove one of them.", true);
    }
  }

  #entries(value: unknown, path: Path): [string, unknown][] {
    if (isRecord(value)) return Object.entries(value);
    this.#wrong(path, "is not a group of fields", "Write NAME: VALUE, a line for each.");
    return [];
  }

  #wrong(path: Path, problem: string, remedy: string, isKey = false): undefined {
    this.#add({ path, problem, remedy, isKey });
  }

  #add(mistake: Mistake): void {
    this.mistakes.push({ ...mistake, name: this.#name(mistake.path) });
  }

  #name(path: Path): string {
    return formatPath(path, (key) => (this.#hidden.has(key) ? hiddenKey : shownKey(key)));
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined;
}
