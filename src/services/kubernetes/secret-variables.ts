import { secretIn } from "../../core/secret-reference.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { secretObjectName } from "../../secrets/cluster.ts";
import { secretKey } from "../../secrets/secrets.ts";
import type { SecretKey } from "../../secrets/variables.ts";
import type { Service } from "../model.ts";
import { labelsOf, type Manifest } from "./manifest.ts";

/** Variables from Secrets, and an annotation that replaces the pods when those change. */
export interface SecretVariables {
  readonly env: readonly object[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** Secrets that were not looked up are those of `slipway secret`. */
export function secretVariables(service: Service): SecretVariables {
  const { env, secrets = {} } = service;
  const variables = env.flatMap(({ name, value }) => {
    const secret = secretIn(value);
    return secret === undefined ? [] : [{ name, valueFrom: { secretKeyRef: keyOf(service, name, secret) } }];
  });
  const versions = Object.entries(secrets).flatMap(([name, each]) =>
    "reference" in each ? [[name, each.version] as const] : [],
  );
  return {
    env: variables,
    annotations:
      versions.length === 0
        ? {}
        : { "slipway/secrets": Buffer.from(canonicalJson(Object.fromEntries(versions))).toString() },
  };
}

function keyOf(service: Service, variable: string, secret: string): SecretKey {
  const found = service.secrets?.[variable];
  if (found === undefined) return { name: secretObjectName(secret), key: secretKey };
  return "reference" in found ? found.reference : { name: copyName(service), key: variable };
}

/** The Secret with values from this machine. It belongs to the service and is deleted with it. */
export function secretCopy(service: Service): Manifest | undefined {
  const values = Object.entries(service.secrets ?? {}).flatMap(([name, each]) =>
    "value" in each ? [[name, Buffer.from(each.value).toString("base64")] as const] : [],
  );
  if (values.length === 0) return undefined;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: copyName(service), labels: labelsOf(service.name) },
    immutable: true,
    type: "Opaque",
    data: Object.fromEntries(values),
  };
}

/** Has a hash of the versions, not of the values: old pods keep theirs. */
function copyName({ name, env, secrets = {} }: Service): string {
  const copied = env.filter((variable) => "value" in (secrets[variable.name] ?? {}));
  const versions = copied.map((variable) => [variable.name, variable.value, secrets[variable.name]?.version]);
  const [, hash = ""] = sha256(Buffer.from(canonicalJson(versions))).split(":");
  return `${name}-secrets-${hash.slice(0, 10)}`;
}
