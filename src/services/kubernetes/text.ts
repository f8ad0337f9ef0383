import { Document, visit } from "yaml";
import type { Manifest } from "./manifest.ts";

/** Kubernetes reads YAML 1.1, in which `yes` is a boolean. This output means the same in 1.2. */
export function manifestsAsYaml(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => `---\n${asYaml(manifest)}`).join("");
}

function asYaml(manifest: Manifest): string {
  const document = new Document(manifest, { version: "1.1", aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      // Texts that only YAML 1.2 reads as numbers, such as 0o17.
      if (typeof node.value === "string" && /^[-+.0-9]/.test(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0, directives: false });
}

export function manifestsAsJson(manifests: readonly Manifest[]): string {
  return `${JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }, undefined, 2)}\n`;
}
