import { Failure } from "../../core/errors.ts";

/** Bytes of memory that the names of one image's files may take: about 140,000 files with paths of 80 characters. */
const room = 32 * 1024 * 1024;

/** Bytes of a file and of a folder, besides the path. A folder has a table of its own. */
const fileCost = 160;
const folderCost = 360;

/** An image has more files than fit in memory. */
export class TooManyFiles extends Error {
  /** @param layer digest of the layer that was read */
  of(layer: string): Failure {
    return new Failure(
      { code: "image-invalid", culprit: layer },
      `Layer ${layer} has too many files: ${this.message}.`,
      "Use an image with fewer files, or pack them into archives.",
      { cause: this },
    );
  }
}

/** Limits the memory for the names of an image's files: a few bytes of a layer can stand for millions of folders. */
export class NodeBudget {
  #left = room;
  #entries = 0;
  #folders = 0;

  /** Counts an entry of a layer, whose names keep its path in memory. @throws TooManyFiles */
  entry(path: string, target = ""): void {
    this.#entries += 1;
    this.#take(fileCost + path.length + target.length);
  }

  /** Counts a folder that comes into being, also one that only a longer path implies. @throws TooManyFiles */
  folder(): void {
    this.#folders += 1;
    this.#take(folderCost);
  }

  #take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    const read = `after ${this.#entries} entries and ${this.#folders} folders`;
    throw new TooManyFiles(`${read} of the image, their names take more than ${room / 1024 / 1024} MiB of memory`);
  }
}
