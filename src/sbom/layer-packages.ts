import { UserError } from "../core/errors.ts";
import type { FileView } from "../layer/file-view.ts";
import { canonicalJson, parseJson } from "../oci/json.ts";
import type { Distribution } from "./contents.ts";
import { executablePackages } from "./executable.ts";
import { debianLicense, debianPackages, distributionOf, npmPackage, pythonPackage } from "./package-files.ts";
import type { PackageRecord } from "./package-record.ts";

/** The content of `NAME.packages.json` beside a layer's metadata. */
export interface LayerPackages {
  /** Of its os-release(5), if it has one. */
  readonly distribution?: Distribution;
  readonly packages: readonly PackageRecord[];
}

const descriptionLimit = 16 * 1024 * 1024;

/** Characters of all records of a layer, with what each one takes beside them: 160,000 packages. */
const mostRecords = 64 * 1024 * 1024;
const recordSize = 300;

/** By path. A package can contain a `package.json` or the metadata of others, too. */
const descriptions: readonly (readonly [path: RegExp, read: (text: string) => Iterable<PackageRecord>])[] = [
  [/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/, npmPackage],
  [/(?:^|\/)(?:site|dist)-packages\/[^/]+(?:\.dist-info\/METADATA|\.egg-info(?:\/PKG-INFO)?)$/, pythonPackage],
  [/^var\/lib\/dpkg\/status(?:\.d\/[^/]+)?$/, debianPackages],
];

/** Most files have none of these endings. */
const endings = ["/package.json", "/METADATA", "/PKG-INFO", ".egg-info", "/os-release", "/dpkg/status", "/copyright"];

function isDescription(path: string): boolean {
  return endings.some((ending) => path.endsWith(ending)) || path.startsWith("var/lib/dpkg/status.d/");
}

export class PackageFinder {
  #distribution: Distribution | undefined;
  readonly #records = new Map<string, PackageRecord>();
  /** By package. */
  readonly #licenses = new Map<string, string>();
  #room = mostRecords;

  look(file: FileView): void {
    for (const record of isDescription(file.path) ? this.#describedBy(file) : executablePackages(file)) {
      const key = JSON.stringify(record);
      if (this.#records.has(key)) continue;
      this.#take(key, file);
      // A copy: its texts would keep the whole file in memory.
      this.#records.set(key, JSON.parse(key));
    }
  }

  #take(text: string, { path }: FileView): void {
    this.#room -= text.length + recordSize;
    if (this.#room > 0) return;
    throw new UserError(
      { code: "file-invalid", culprit: path },
      `${path}: the packages of its layer have more than ${mostRecords} characters.`,
      "Remove the files that name packages which are not there.",
    );
  }

  #describedBy(file: FileView): Iterable<PackageRecord> {
    const text = () => file.read(0, descriptionLimit).toString("utf8");
    if (/^(?:etc|usr\/lib)\/os-release$/.test(file.path))
      this.#distribution = distributionOf(text()) ?? this.#distribution;
    const debian = /^usr\/share\/doc\/([^/]+)\/copyright$/.exec(file.path)?.[1];
    const license = debian && debianLicense(text());
    if (debian && license) {
      this.#take(license, file);
      this.#licenses.set(debian, license);
    }
    const read = descriptions.find(([path]) => path.test(file.path))?.[1];
    return read ? read(text()) : [];
  }

  /** Each once, in an order that depends on them alone. */
  found(): LayerPackages {
    const sorted = [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1));
    const packages = sorted.map(([, record]) => {
      const license = record.type === "deb" && this.#licenses.get(record.name);
      return license ? { ...record, license } : record;
    });
    return { ...(this.#distribution && { distribution: this.#distribution }), packages };
  }
}

export function formatLayerPackages(layer: LayerPackages): Uint8Array<ArrayBuffer> {
  return canonicalJson(layer);
}

export function parseLayerPackages(bytes: Uint8Array, document: string): LayerPackages {
  return parseJson(bytes, document).value as LayerPackages;
}
