import { secretIn } from "../../core/secret-reference.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { secretObjectName } from "../../secrets/cluster.ts";
import { secretKey } from "../../secrets/secrets.ts";
import type { SecretKey } from "../../secrets/variables.ts";
import type { Service } from "../model.ts";
import { labelsOf, type Manifest } from "./manifest.ts";

/** A container's variables whose values are in Secrets, and an annotation of its pod that makes new pods after a change of those. */
export interface SecretVariables {
  readonly env: readonly object[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** The variables of a service that name secrets. Where nobody looked for the secrets, they are those that `slipway secret` makes. */
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

/** The Secret with the values that come from this machine. It is a part of the service and is deleted with it. */
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

/** It has a hash of when the values were set, and of no value: pods of before a change keep theirs. */
function copyName({ name, env, secrets = {} }: Service): string {
  const copied = env.filter((variable) => "value" in (secrets[variable.name] ?? {}));
  const versions = copied.map((variable) => [variable.name, variable.value, secrets[variable.name]?.version]);
  const [, hash = ""] = sha256(Buffer.from(canonicalJson(versions))).split(":");
  return `${name}-secrets-${hash.slice(0, 10)}`;
}
