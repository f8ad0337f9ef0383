import { readServices } from "./read.ts";
import { namePattern } from "./schema.ts";

/** A placeholder for an image that is given with a file. */
export const anyImage = `localhost/image@sha256:${"0".repeat(64)}`;

export interface NamedFile {
  readonly path: string;
  readonly name: string;
}

export interface NamedService {
  readonly name: string;
  readonly isDisabled: boolean;
}

/** The services that command-line words mean: names, or files, of which all services are meant. */
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
