import type { EngineKind } from "../config/engine-kind.ts";
import { messageOf } from "../core/errors.ts";
import { printableLines } from "../core/printable.ts";
import { maximumJsonBytes } from "../functions/calls.ts";
import { type FileForm, formsIn } from "../functions/file-form.ts";
import { pool } from "../functions/pool.ts";
import { shorten } from "./json.ts";
import { fileClient, origins, ownPlace } from "./own-place.ts";
import { decodeJson } from "./values.ts";

/** Files on their way at once. */
const parallel = 6;
/** Bytes of arguments that stay in the JSON for Kubernetes, where all together are too long. */
const shortInput = 64 * 1024;

export interface CallPlace {
  readonly kind: EngineKind;
  readonly image?: string | undefined;
}

/** Arguments as the engine takes them. Moves the content of their files to where the engine needs it. */
export async function sendFiles(inputs: readonly string[], place: CallPlace): Promise<readonly string[]> {
  const isPods = place.kind === "kubernetes";
  const total = inputs.reduce((sum, input) => sum + input.length + 1, 0);
  const limit = isPods && total > maximumJsonBytes ? shortInput : maximumJsonBytes;
  const sent: string[] = [];
  for (const input of inputs) sent.push(await shorten(input, limit));
  const forms = new Map(sent.flatMap(formsIn).map((form) => [form.digest, form]));
  await each([...forms.values()], async (form) => {
    if (isPods) await store(form, place.image ?? "");
    else await ownPlace().locate(form);
  });
  return sent;
}

/** The value of a result. Its content is held by the registry, if there is one. */
export async function receiveFiles(json: unknown, { kind, image }: CallPlace): Promise<unknown> {
  const { value } = await decodeJson(json, async (forms) => {
    if (image === undefined || kind === "process" || !fileClient.isThere) return;
    for (const { digest } of forms) origins.set(digest, image);
    await each(forms, (form) => store(form, image).catch((error) => withoutRegistry(form, image, error)));
  });
  return value;
}

let isTold = false;

/** Content on this machine is good until the program ends, also if the user may not push. */
function withoutRegistry(form: FileForm, image: string, error: unknown): void {
  if (!ownPlace().has(form)) throw error;
  const where = repositoryOf(image);
  const problem = `Files of results cannot be stored in ${where}, and last until this program ends: ${messageOf(error)}`;
  if (!isTold) process.stderr.write(`slipway: ${printableLines(problem)}\n`);
  isTold = true;
}

async function store(form: FileForm, image: string): Promise<void> {
  const { digest, size } = form;
  const place = ownPlace();
  const origin = origins.get(digest);
  // Another function's image may be in another repository.
  if (!place.has(form) && origin !== undefined && repositoryOf(origin) !== repositoryOf(image))
    await place.locate(form);
  const path = place.has(form) ? { path: place.pathOf(form) } : {};
  await fileClient.ask({ action: "store", image, digest, size, ...path });
}

function repositoryOf(image: string): string {
  return image.split("@", 1)[0] ?? image;
}

function each(forms: readonly FileForm[], act: (form: FileForm) => Promise<void>): Promise<void> {
  return pool(forms.length, parallel, async (index) => act(forms[index] as FileForm), new AbortController().signal);
}
