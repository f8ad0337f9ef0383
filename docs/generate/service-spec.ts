import { readFileSync } from "node:fs";
import { serviceJsonSchema } from "../../src/services/schema.ts";
import { code, table } from "./markdown.ts";

export const serviceSpecPage = "docs/service-spec.md";

/** The part of a JSON Schema that describes a field. */
interface Field {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
}

/** Groups whose fields stand in the table in place of the group. */
const flattened = ["resources", "expose"];

/** Where a field has a page or section of its own. */
const links: Readonly<Record<string, string>> = {
  env: "services.md#the-spec-by-example",
  models: "service-models.md",
  repositories: "service-repositories.md",
  "resources.autoscaling": "#autoscaling",
  "resources.instanceType": "instance-types.md",
  "expose.host": "services-kubernetes.md#expose",
  healthChecks: "#health-checks",
};

/**
 * The page of the service spec with its tables made anew from the schema: each stands below a comment `<!-- fields of
 * PATH -->`.
 */
export function serviceSpec(): string {
  const page = readFileSync(serviceSpecPage, "utf8");
  return page.replaceAll(/(<!-- fields of (\S+) -->\n\n)(?:\|.*\n)*/g, (_, head: string, path: string) => {
    const names = path === "service" ? [] : path.split(".");
    const group = names.reduce<Field | undefined>((field, name) => field?.properties?.[name], serviceJsonSchema());
    return `${head}${table(["field", "default", "meaning"], rowsOf(group ?? {}, ""))}`;
  });
}

function rowsOf({ properties = {}, required = [] }: Field, prefix: string): string[][] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    if (flattened.includes(path)) return rowsOf(field, `${path}.`);
    const [, meaning = "", spoken = ""] = /^(.*?)(?: Default: (.*)\.)?$/s.exec(field.description ?? "") ?? [];
    const link = links[path];
    // A group in the table may itself be left out.
    const isRequired = prefix === "" && required.includes(name);
    const isPlain = field.default !== undefined && typeof field.default !== "object";
    const fallback = isRequired ? "required" : isPlain ? code(JSON.stringify(field.default)) : spoken;
    return [[code(path), fallback, link === undefined ? meaning : `${meaning} [More](${link})`]];
  });
}
