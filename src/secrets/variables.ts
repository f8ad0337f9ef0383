import { UserError } from "../core/errors.ts";
import { secretIn } from "../core/secret-reference.ts";

/** A key of a Secret in the cluster. */
export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

/** A secret's value, or the Secret of the cluster that has it. */
export type FoundSecret = ({ readonly value: string } | { readonly reference: SecretKey }) & {
  /** Differs after each change. Reveals nothing about the value. */
  readonly version: string;
};

/** A store from which variables with `SECRET:NAME` get their values. */
export interface VariableStore {
  /** For people. */
  readonly place: string;
  /** The command that stores a secret there. */
  setCommand(name: string): string;
  /** @throws UserError if a variable cannot have the secret's value */
  variable(name: string): Promise<FoundSecret | undefined>;
}

export interface MissingSecret {
  readonly variable: string;
  readonly secret: string;
  /** Follows the name of the field. */
  readonly problem: string;
  readonly remedy: string;
}

type Refuse = (missing: readonly MissingSecret[]) => UserError;

/** For variables `SECRET:NAME`, from the first store that has them; other variables are left out. */
export async function findSecrets(
  env: Readonly<Record<string, string>>,
  stores: readonly VariableStore[],
  refuse: Refuse = refusal,
): Promise<Readonly<Record<string, FoundSecret>>> {
  const wanted = Object.entries(env).flatMap(([variable, value]) => {
    const secret = secretIn(value);
    return secret === undefined ? [] : [{ variable, secret }];
  });
  const names = [...new Set(wanted.map(({ secret }) => secret))];
  const found = new Map(await Promise.all(names.map(async (name) => [name, await findIn(stores, name)] as const)));
  const missing = wanted.filter(({ secret }) => found.get(secret) === undefined);
  if (missing.length > 0) throw refuse(missing.map((each) => describeMissing(each, stores)));
  return Object.fromEntries(wanted.map(({ variable, secret }) => [variable, found.get(secret) as FoundSecret]));
}

export async function resolveVariables(
  env: Readonly<Record<string, string>>,
  stores: readonly VariableStore[],
): Promise<{
  readonly values: Readonly<Record<string, string>>;
  readonly references: Readonly<Record<string, SecretKey>>;
}> {
  const found = await findSecrets(env, stores);
  const values: Record<string, string> = {};
  const references: Record<string, SecretKey> = {};
  for (const [variable, plain] of Object.entries(env)) {
    const secret = found[variable];
    if (secret !== undefined && "reference" in secret) references[variable] = secret.reference;
    else values[variable] = secret?.value ?? plain;
  }
  return { values, references };
}

async function findIn(stores: readonly VariableStore[], name: string): Promise<FoundSecret | undefined> {
  for (const store of stores) {
    const found = await store.variable(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describeMissing(
  missing: { readonly variable: string; readonly secret: string },
  stores: readonly VariableStore[],
): MissingSecret {
  const places = stores.map(({ place }) => place).join(", nor in ");
  const command = stores[0]?.setCommand(missing.secret) ?? "slipway secret set";
  const problem = `names the secret ${missing.secret}, which does not exist in ${places}`;
  return { ...missing, problem, remedy: `Set it: \`${command}\`.` };
}

function refusal(missing: readonly MissingSecret[]): UserError {
  const culprit = [...new Set(missing.map(({ secret }) => `SECRET:${secret}`))].join(", ");
  const problem = missing.map((each) => `Variable ${each.variable} ${each.problem}.`);
  return new UserError({ code: "secret-not-found", culprit }, problem, missing[0]?.remedy ?? "");
}
