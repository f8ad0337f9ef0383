import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { z } from "zod";
import { Document } from "../config/document.ts";
import { unknownType } from "../config/instance-types.ts";
import type { Mistake } from "../config/mistake.ts";
import { mistakesOf } from "../config/mistakes.ts";
import { readDocument } from "../config/read-document.ts";
import type { ErrorCode } from "../core/error-codes.ts";
import { UserError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import { checkFields } from "./check.ts";
import type { Service } from "./model.ts";
import { nameFrom, namePattern, type ServiceFields, serviceFields } from "./schema.ts";

export interface ServiceDocument {
  readonly service: Service;
  /** The error for mistakes in fields, given by their paths in the document: `["models"]`. */
  error(issues: readonly Mistake[], code?: ErrorCode): UserError;
}

export interface ServiceFile {
  readonly path: string;
  readonly name: string;
  /** For services that name none. */
  readonly image?: string | undefined;
}

const extension = /\.(ya?ml|jsonc?)$/;
const maximumServices = 1000;
const maximumFile = 256 * 1024;

/**
 * One or more YAML documents (JSON is YAML), or the files of a folder without its subfolders.
 *
 * @param instanceTypes allowed names. Undefined: any
 * @throws UserError with all mistakes of the first wrong document: file, line, column, field, nearest name, and no
 *   value
 */
export async function readServices(
  { path, name, image }: ServiceFile,
  instanceTypes: readonly string[] | undefined,
): Promise<readonly ServiceDocument[]> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const files = isFolder ? (await readdir(path)).filter((file) => extension.test(file)).sort() : undefined;
  if (files?.length === 0) {
    throw new UserError(
      { code: "file-invalid", culprit: name },
      `${name} contains no service.`,
      "Name a folder with .yaml, .json or .jsonc files, or one such file.",
    );
  }
  const found: ServiceDocument[] = [];
  const places = new Map<string, string>();
  for (const file of files ?? [undefined]) {
    const fileName = file === undefined ? name : join(name, file);
    const text = await readDocument(file === undefined ? path : join(path, file), fileName, "service", maximumFile);
    for (const document of parseServices(text, fileName, instanceTypes, image)) {
      const before = places.get(document.service.name);
      if (before !== undefined) throw document.error([sameName(before === fileName ? "this file" : before)]);
      places.set(document.service.name, fileName);
      found.push(document);
    }
  }
  return found;
}

/** Refuses an image that no service takes: each names its own. */
export function checkImageTaken(documents: readonly ServiceDocument[], image: string | undefined): void {
  const [first] = documents;
  if (image === undefined || first === undefined || documents.some(({ service }) => service.image === image)) return;
  throw first.error([
    {
      path: ["image"],
      problem: "stands beside the image given with the file (`image` of the Bazel rule, or --image)",
      remedy: "Remove the field, or give no image.",
    },
  ]);
}

export function parseServices(
  text: string,
  fileName: string,
  instanceTypes: readonly string[] | undefined,
  image?: string,
): readonly ServiceDocument[] {
  const plain = fileName.endsWith(".jsonc") ? withoutComments(text) : text;
  const documents = Document.parseAllSecretive(plain, fileName);
  if (documents.length > maximumServices) {
    throw new UserError(
      { code: "file-invalid", culprit: fileName },
      `${fileName} has ${documents.length} services; a file may have ${maximumServices}.`,
      "Divide it.",
    );
  }
  return documents.map((document) => readService(document, documents.length > 1, fileName, instanceTypes, image));
}

/** Spaces, so that positions stay. YAML accepts JSON's trailing commas, but not its comments. */
function withoutComments(text: string): string {
  return text.replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\/.*|\/\*[\s\S]*?\*\//g, (found) =>
    found.startsWith('"') ? found : found.replaceAll(/[^\n]/g, " "),
  );
}

function readService(
  document: Document,
  isOneOfSeveral: boolean,
  fileName: string,
  instanceTypes: readonly string[] | undefined,
  givenImage: string | undefined,
): ServiceDocument {
  const parsed = serviceFields.safeParse(document.value);
  const formal = [
    ...(givenImage === undefined ? missingImage(document.value) : []),
    ...(parsed.success ? [] : parsed.error.issues),
  ];
  if (!parsed.success || formal.length > 0) throw document.error(mistakesOf(formal, document.value));
  const fields = parsed.data;
  // `serving/My_App.yaml` is `my-app`.
  const name = fields.name ?? nameFrom(basename(fileName).replace(extension, ""));
  const image = fields.image ?? givenImage;
  const issues = [
    ...checkFields(fields),
    ...(instanceTypes === undefined ? [] : unknownTypes(fields, instanceTypes)),
    ...(fields.name === undefined ? missingName(name, isOneOfSeveral) : []),
  ];
  if (issues.length > 0 || image === undefined) throw document.error(issues);
  return { service: serviceOf(fields, name, image), error: (mistakes, code) => document.error(mistakes, code) };
}

function missingImage(value: unknown): z.core.$ZodIssue[] {
  if (!isRecord(value) || Object.hasOwn(value, "image")) return [];
  return [{ code: "invalid_type", expected: "string", path: ["image"], message: "" }];
}

function missingName(name: string, isOneOfSeveral: boolean): Mistake[] {
  const of = (problem: string, remedy: string) => [{ path: ["name"], problem, remedy: `Add it: ${remedy}` }];
  if (isOneOfSeveral) return of("is missing", "a file with several services must name each of them.");
  if (namePattern.test(name)) return [];
  return of(
    "is missing, and the file's name cannot be a service's name",
    "at most 40 lower-case letters, digits and -.",
  );
}

function sameName(place: string): Mistake {
  const problem = `is the name of another service in ${place}`;
  return { path: ["name"], problem, remedy: "Give each a different name." };
}

function unknownTypes({ resources }: ServiceFields, known: readonly string[]): Mistake[] {
  return (["instanceType", "machineType"] as const).flatMap((field): Mistake[] => {
    const type = resources[field];
    const wrong = type === undefined ? undefined : unknownType(type, known);
    return wrong === undefined ? [] : [{ path: ["resources", field], ...wrong }];
  });
}

function serviceOf(spec: ServiceFields, name: string, image: string): Service {
  const { apiVersion: _, port, resources, repositories, ...fields } = spec;
  const { replicas, autoscaling, instanceType = resources.machineType } = resources;
  return {
    ...fields,
    name,
    image,
    ports: resources.ports ?? (port === undefined ? [] : [port]),
    replicas,
    instanceType,
    ...(autoscaling?.enabled && {
      autoscaling: {
        maxReplicas: autoscaling.maxReplicas,
        metrics: autoscaling.metrics.map(({ metric, value }) => ({ metric, value })),
      },
    }),
    repositories: repositories && {
      ...repositories,
      repositories: repositories.repositories.map(({ password, ...repository }) => ({
        ...repository,
        ...(password !== undefined && { secret: password.slice("SECRET:".length) }),
      })),
    },
  };
}

/** A placeholder for an image that is given with a file. */
export const anyImage = `localhost/image@sha256:${"0".repeat(64)}`;

export interface NamedService {
  readonly name: string;
  readonly isDisabled: boolean;
}

/** The services that command-line words mean: names, or files, of which all services are meant. */
export async function servicesMeant(
  words: readonly string[],
  fileOf: (word: string) => ServiceFile,
): Promise<readonly NamedService[]> {
  const lists = await Promise.all(
    words.map(async (word) => {
      if (namePattern.test(word)) return [{ name: word, isDisabled: false }];
      const documents = await readServices({ ...fileOf(word), image: anyImage }, undefined);
      return documents.map(({ service }) => ({ name: service.name, isDisabled: !service.enabled }));
    }),
  );
  return [...new Map(lists.flat().map((each) => [each.name, each])).values()];
}
