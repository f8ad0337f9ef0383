import { Failure } from "../core/errors.ts";
import { isDeeper, maximumValueDepth } from "../core/json-depth.ts";
import { type FileForm, isMarked, replaceForms } from "../functions/file-form.ts";
import { FileValue } from "./files.ts";
import { maximumValue } from "./json.ts";
import { ownPlace } from "./own-place.ts";

/**
 * The value of parsed JSON: forms become files, or the large value that they stand for.
 *
 * @param onForms told of all forms, before content is asked for
 * @throws Failure if content is gone or damaged, or a form is unknown
 */
export async function decodeJson(
  json: unknown,
  onForms: (forms: readonly FileForm[]) => Promise<void> = async () => {},
): Promise<{ readonly value: unknown; readonly files: readonly FileValue[] }> {
  if (!hasForms(json)) return { value: json, files: [] };
  const forms: FileForm[] = [];
  const files: FileValue[] = [];
  let value: unknown;
  try {
    value = replaceForms(json, (form) => {
      forms.push(form);
      const file = new FileValue(form);
      if (form.kind !== "json") files.push(file);
      return file;
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const problem = `A value that came from a function ${error.message}.`;
    throw new Failure({ code: "function-failed", culprit: "files" }, problem, "Build the image again.");
  }
  await onForms(forms);
  const [form] = forms;
  if (value instanceof FileValue && form?.kind === "json") {
    return decodeJson(await readValue(form), onForms);
  }
  return { value, files };
}

async function readValue(form: FileForm): Promise<unknown> {
  const invalid = (problem: string) =>
    new Failure(
      { code: "function-failed", culprit: form.digest },
      `A value of a function ${problem}.`,
      "Return a file.",
    );
  if (form.size > maximumValue) throw invalid(`has ${form.size} bytes, more than ${maximumValue}`);
  const text = (await ownPlace().read(form)).toString();
  if (isDeeper(text, maximumValueDepth)) throw invalid(`has more than ${maximumValueDepth} nested values`);
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("is not JSON");
  }
}

/** Arguments as a function gets them: its files are on this machine. */
export async function decodeArguments(json: string): Promise<unknown[]> {
  const { value, files } = await decodeJson(JSON.parse(json));
  for (const file of files) await file.prepare();
  return value as unknown[];
}

function hasForms(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasForms);
  return isMarked(value) || Object.values(value).some(hasForms);
}
