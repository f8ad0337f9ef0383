import { dirname } from "node:path";
import type { ImageUser } from "../../debian/accounts.ts";
import { openRootFilesystem } from "../../debian/root-filesystem.ts";
import { Arguments, type Entry, malformed, texts } from "../arguments.ts";
import type { Context } from "../context.ts";
import { layerOptions, writeLayerFiles } from "../layer-output.ts";

/**
 * `debian --output=BLOB --metadata=JSON [--packages=JSON] --compression=gzip|zstd|none [--comment=TEXT]`, then `["deb",
 * PATH]` and `["user", {"name", "uid", "gid", "home", "shell"}]`: one layer with the packages and what their maintainer
 * scripts would create.
 */
export async function debian(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, layerOptions, context);
  const scratch = dirname(options.output("output"));
  const debs: string[] = [];
  const users: ImageUser[] = [];
  for (const entry of options.entries) {
    if (entry.kind === "deb") debs.push(options.resolve(texts(entry, ["PATH"])[0]));
    else if (entry.kind === "user") users.push(user(entry));
    else throw malformed(entry.text, "a deb or user");
  }
  await using root = await openRootFilesystem(debs, users, scratch, context.signal);
  await writeLayerFiles(options, context, { entries: root.entries });
}

function user(entry: Entry): ImageUser {
  const [value, ...more] = entry.values as [Record<string, unknown>?];
  const { name, uid, gid, home, shell } = value ?? {};
  const texts = [name, home, shell].every((text) => typeof text === "string" && !/[:\n]/.test(text));
  if (!texts || !Number.isSafeInteger(uid) || !Number.isSafeInteger(gid) || more.length > 0) {
    throw malformed(
      entry.text,
      '["user", {"name": "a", "uid": 1000, "gid": 1000, "home": "/home/a", "shell": "/bin/sh"}]',
    );
  }
  return value as unknown as ImageUser;
}
