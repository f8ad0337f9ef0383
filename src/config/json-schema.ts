import { configSchema } from "./config-schema.ts";
import type { Field, Group, Shape } from "./shape.ts";

/** For editors (2020-12). It accepts whatever the reader does, which also checks names of hosts, for example. */
export function configJsonSchema(): object {
  const $schema = "https://json-schema.org/draft/2020-12/schema";
  return { $schema, title: "Slipway config.yaml", ...jsonSchema(configSchema) };
}

function jsonSchema(shape: Shape): object {
  switch (shape.is) {
    case "group":
      return groupSchema(shape);
    case "map":
      return { type: "object", additionalProperties: jsonSchema(shape.of) };
    case "list":
      return { type: "array", items: jsonSchema(shape.of) };
    case "flag":
      return { type: "boolean" };
    case "number":
      return { type: shape.isWhole ? "integer" : "number", minimum: shape.minimum, maximum: shape.maximum };
    case "memory":
      return { type: ["string", "integer"] };
    case "text":
      return shape.oneOf ? { enum: shape.oneOf } : { type: "string", minLength: 1 };
    default:
      return { type: "string", minLength: 1 };
  }
}

function groupSchema({ fields, together, isChoice }: Group): object {
  const entries = Object.entries(fields);
  const required = entries.filter(([, { isRequired }]) => isRequired).map(([name]) => name);
  const [one = "", other = ""] = together ?? [];
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])),
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
    ...(together ? { dependentRequired: { [one]: [other], [other]: [one] } } : {}),
    ...(isChoice ? { minProperties: 1, maxProperties: 1 } : {}),
  };
}

function fieldSchema(field: Field): object {
  const schema = { description: field.about, ...jsonSchema(field) };
  return field.mayBeEmpty ? { ...schema, type: ["object", "null"] } : schema;
}
