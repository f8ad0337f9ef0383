import type { ArchiveName } from "./archive.ts";
import type { LockedPackage } from "./lock.ts";
import { type Dependency, parseRelations } from "./relation.ts";
import { compareVersions, satisfies, type VersionOperator } from "./version.ts";

export interface AvailablePackage extends LockedPackage {
  readonly priority: string;
  /** `Pre-Depends` and `Depends`. */
  readonly depends: readonly Dependency[];
  readonly provides: readonly Dependency[];
}

export class PackageIndex {
  readonly #byName = new Map<string, AvailablePackage[]>();
  readonly #providers = new Map<string, { readonly by: AvailablePackage; readonly version?: string }[]>();

  /** Tens of megabytes: cut at paragraphs, and only the fields that are used are read. */
  add(text: string, archive: ArchiveName): void {
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf("\n\n", start);
      this.#addParagraph(text.slice(start, end < 0 ? text.length : end + 1), archive);
      start = end < 0 ? text.length : end + 2;
    }
  }

  #addParagraph(paragraph: string, archive: ArchiveName): void {
    const field = (name: string) => {
      const at = paragraph.startsWith(`${name}: `) ? 0 : paragraph.indexOf(`\n${name}: `) + 1;
      if (at === 0 && !paragraph.startsWith(`${name}: `)) return undefined;
      return paragraph.slice(at + name.length + 2, paragraph.indexOf("\n", at)).trim();
    };
    const [name, version, path, sha256, size] = ["Package", "Version", "Filename", "SHA256", "Size"].map(field);
    if (name === undefined || version === undefined || path === undefined || sha256 === undefined || size === undefined)
      return;
    const entry: AvailablePackage = {
      name,
      version,
      archive,
      path,
      sha256,
      size: Number(size),
      priority: field("Priority") ?? "",
      get depends() {
        return [...parseRelations(field("Pre-Depends")), ...parseRelations(field("Depends"))];
      },
      provides: parseRelations(field("Provides")),
    };
    const versions = this.#byName.get(name);
    if (versions === undefined) this.#byName.set(name, [entry]);
    else versions.push(entry);
    for (const [provided] of entry.provides) {
      if (provided === undefined) continue;
      const providers = this.#providers.get(provided.name) ?? [];
      providers.push({ by: entry, ...(provided.version === undefined ? {} : { version: provided.version }) });
      this.#providers.set(provided.name, providers);
    }
  }

  newest(name: string): AvailablePackage | undefined {
    return this.#byName.get(name)?.reduce((a, b) => (compareVersions(b.version, a.version) > 0 ? b : a));
  }

  /** Providers in versions that satisfy a constraint, newest of each: by Debian's priority, then by name. */
  providers(name: string, operator?: VersionOperator, constraint?: string): AvailablePackage[] {
    const fitting = (this.#providers.get(name) ?? []).filter(({ by, version }) => {
      if (this.newest(by.name) !== by) return false;
      if (operator === undefined || constraint === undefined) return true;
      // An unversioned Provides satisfies no version (Policy Manual 7.5).
      return version !== undefined && satisfies(version, operator, constraint);
    });
    const providers = [...new Map(fitting.map(({ by }) => [by.name, by])).values()];
    return providers.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  names(): Set<string> {
    return new Set([...this.#byName.keys(), ...this.#providers.keys()]);
  }
}

const PRIORITIES = ["required", "important", "standard", "optional"];

function rank({ priority }: AvailablePackage): number {
  const index = PRIORITIES.indexOf(priority);
  return index < 0 ? PRIORITIES.length : index;
}
