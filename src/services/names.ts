import { readServices } from "./read.ts";
import { namePattern } from "./schema.ts";

/** Stands for whatever image is given with a file. */
export const anyImage = `localhost/image@sha256:${"0".repeat(64)}`;

/** A file of services, and what a person calls it. */
export interface NamedFile {
  readonly path: string;
  readonly name: string;
}

/** A service that somebody named. */
export interface NamedService {
  readonly name: string;
  /** Whether its file says that it does not run. */
  readonly isDisabled: boolean;
}

/**
 * The services that words of a command line mean: a word is the name of one, or else a file, whose services are all meant.
 *
 * @param fileOf finds the file that a word names
 * @throws UserError for mistakes in a file
 */
export async function servicesMeant(
  words: readonly string[],
  fileOf: (word: string) => NamedFile,
): Promise<readonly NamedService[]> {
  const lists = await Promise.all(
    words.map(async (word) => {
      if (namePattern.test(word)) return [{ name: word, isDisabled: false }];
      const { path, name } = fileOf(word);
      const documents = await readServices(path, name, undefined, anyImage);
      return documents.map(({ service }) => ({ name: service.name, isDisabled: !service.enabled }));
    }),
  );
  return [...new Map(lists.flat().map((each) => [each.name, each])).values()];
}
