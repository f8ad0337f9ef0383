import { configSchema } from "../../src/config/config-schema.ts";
import type { Shape } from "../../src/config/shape.ts";
import { code, sections, table } from "./markdown.ts";

const types: Readonly<Record<Shape["is"], string>> = {
  file: "file",
  flag: "true or false",
  group: "",
  key: "key",
  list: "list",
  map: "",
  memory: "text or number",
  number: "number",
  program: "program",
  text: "text",
  variable: "variable",
};

/** The page of config.yaml, from its schema. */
export function configPage(): string {
  return sections(
    "# `config.yaml`",
    [
      "`~/.config/slipway/config.yaml`, or the file that `SLIPWAY_CONFIG` names. Every section is optional.",
      "Files are relative to its folder. `slipway config schema` prints the JSON Schema, and `slipway doctor`",
      "reports every mistake in the file.",
    ].join("\n"),
    ...Object.entries(configSchema.fields).map(([name, section]) =>
      sections(`## ${name}`, `${section.about}.`, table(["field", "type", ""], rowsOf(section, name))),
    ),
  );
}

/** A row for each field that has a value, and for each group with a description. */
function rowsOf(shape: Shape, path: string): string[][] {
  if (shape.is === "map") return rowsOf(shape.of, `${path}.${shape.name}`);
  if (shape.is === "list") return rowsOf(shape.of, `${path}[]`);
  if (shape.is !== "group") return [];
  return Object.entries(shape.fields).flatMap(([name, field]) => {
    const type = field.is === "text" && field.oneOf ? field.oneOf.map(code).join(", ") : types[field.is];
    const about = `${field.about}${field.isRequired ? ". Required" : ""}`;
    return [[code(`${path}.${name}`), type, about], ...rowsOf(field, `${path}.${name}`)];
  });
}
