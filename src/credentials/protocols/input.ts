import type { Readable } from "node:stream";
import { badInput } from "./helper.ts";

/** Maximum size of a helper's input, in bytes. */
const maximumInput = 1 << 20;

/** Reads a helper's whole input. */
export async function readInput(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    size += (chunk as Buffer).length;
    if (size > maximumInput) throw badInput("The request on stdin is longer than 1 MiB.");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
