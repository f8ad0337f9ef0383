import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { parse } from "yaml";

const page = readFileSync(fileURLToPath(new URL("../../docs/signatures.md", import.meta.url)), "utf8");

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: "string" };
const is = (value: unknown): Schema => ({ const: value });
const list = (items: Schema): Schema => ({ type: "array", minItems: 1, items });
/** A mapping with exactly these fields. */
const fields = (properties: Readonly<Record<string, Schema>>): Schema => {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
};

const publicKey: Schema = {
  type: "string",
  pattern: "^-----BEGIN PUBLIC KEY-----\\n[^]*-----END PUBLIC KEY-----\\n?$",
};

/** The parts of the controllers' schemas that the page uses: Kyverno 1.19 and sigstore's policy controller 0.13. */
const schemas: Readonly<Record<string, Schema>> = {
  kyverno: fields({
    apiVersion: is("kyverno.io/v1"),
    kind: is("ClusterPolicy"),
    metadata: fields({ name: text }),
    spec: fields({
      webhookConfiguration: fields({ failurePolicy: { enum: ["Fail", "Ignore"] }, timeoutSeconds: { maximum: 30 } }),
      rules: list(
        fields({
          name: text,
          match: fields({ any: list(fields({ resources: fields({ kinds: list(text) }) })) }),
          verifyImages: list(
            fields({
              type: { enum: ["Cosign", "SigstoreBundle", "Notary"] },
              imageReferences: list(text),
              failureAction: { enum: ["Audit", "Enforce"] },
              attestors: list(
                fields({
                  entries: list(
                    fields({
                      keys: fields({
                        publicKeys: publicKey,
                        rekor: fields({ ignoreTlog: { type: "boolean" } }),
                        ctlog: fields({ ignoreSCT: { type: "boolean" } }),
                      }),
                    }),
                  ),
                }),
              ),
            }),
          ),
        }),
      ),
    }),
  }),
  sigstore: fields({
    apiVersion: is("policy.sigstore.dev/v1beta1"),
    kind: is("ClusterImagePolicy"),
    metadata: fields({ name: text }),
    spec: fields({
      images: list(fields({ glob: text })),
      authorities: list(
        fields({ name: text, signatureFormat: { enum: ["legacy", "bundle"] }, key: fields({ data: publicKey }) }),
      ),
    }),
  }),
};

it.each(Object.entries(schemas))("the policy for %s is one by its schema", (name, schema) => {
  const block = new RegExp(`<!-- policy: ${name} -->\n\`\`\`yaml\n([^]*?)\`\`\``).exec(page)?.[1] ?? "";
  const check = new Ajv({ strictTypes: false }).compile(schema);
  check(parse(block));
  expect(check.errors).toBeNull();
});
