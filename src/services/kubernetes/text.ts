import { Document, visit } from "yaml";
import type { Manifest } from "./manifest.ts";

/** Manifests as YAML documents. Kubernetes reads YAML 1.1, in which `yes` is no text; what is written here means the same in 1.2. */
export function manifestsAsYaml(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => `---\n${asYaml(manifest)}`).join("");
}

function asYaml(manifest: Manifest): string {
  const document = new Document(manifest, { version: "1.1", aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      // Texts that are numbers only in YAML 1.2, such as 0o17.
      if (typeof node.value === "string" && /^[-+.0-9]/.test(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0, directives: false });
}

/** Manifests as one object of kind List. */
export function manifestsAsJson(manifests: readonly Manifest[]): string {
  return `${JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }, undefined, 2)}\n`;
}
