import type { Readable, Writable } from "node:stream";
import { formatBytes } from "../config/quantity.ts";
import type { Environment } from "../core/environment.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { onLines } from "../core/lines.ts";
import { parseReference } from "../oci/reference.ts";
import { openByName } from "../registry/open-by-name.ts";
import { type FilePlace, fetchFile, storeFile } from "../results/file.ts";
import type { FileAnswer, FileRequest } from "./file-client.ts";
import { toHelperError } from "./helper-error.ts";

/** Ends when the program closes its end. */
export async function serveFiles(questions: Readable, answers: Writable, env: Environment): Promise<void> {
  const places = new Map<string, Promise<FilePlace>>();
  const placeOf = (image: string) => {
    const { registry, repository } = parseReference(image);
    const key = `${registry}/${repository}`;
    const known = places.get(key) ?? openByName(registry, env).then((client) => ({ client, repository }));
    places.set(key, known);
    known.catch(() => places.delete(key));
    return known;
  };
  const act = async ({ action, image, digest, size, path }: FileRequest) => {
    const verb = action === "store" ? "Storing" : "Fetching";
    const endNotice = heartbeat(`${verb} ${formatBytes(size)}, ${digest.slice(0, 19)}`, {
      after: patience,
    });
    try {
      const place = await placeOf(image);
      if (action === "store") await storeFile(place, { digest, size }, path);
      else await fetchFile(place, { digest, size }, path ?? "");
    } finally {
      endNotice();
    }
  };
  onLines(questions, (line) => {
    const request = JSON.parse(line) as FileRequest;
    const answer = (more: Partial<FileAnswer>) => answers.write(`${JSON.stringify({ id: request.id, ...more })}\n`);
    act(request).then(
      () => answer({}),
      (error: unknown) => answer({ error: toHelperError(error, "A file of a function could not be moved") }),
    );
  });
  await new Promise<void>((resolve) => {
    for (const event of ["end", "error", "close"]) questions.once(event, () => resolve());
  });
  for (const place of places.values()) await place.then(({ client }) => client.close()).catch(() => {});
}
