import { UserError } from "../core/errors.ts";
import { secretIn } from "../core/secret-reference.ts";

/** A key of a Secret in the cluster. */
export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

/** The source of a variable's value: the value itself, or a Secret of the cluster, whose value stays there. */
export type FoundSecret = ({ readonly value: string } | { readonly reference: SecretKey }) & {
  /** Differs after each change. It says nothing about the value. */
  readonly version: string;
};

/** A store that variables with `SECRET:NAME` get their values from. */
export interface VariableStore {
  /** For people. */
  readonly place: string;
  /** The command that stores a secret there. */
  setCommand(name: string): string;
  /** @throws UserError when a variable cannot have the secret's value */
  variable(name: string): Promise<FoundSecret | undefined>;
}

/** A variable with the name of a secret that no store has. */
export interface MissingSecret {
  readonly variable: string;
  readonly secret: string;
  /** What follows the name of the field, as of an `Issue`. */
  readonly problem: string;
  readonly remedy: string;
}

type Refuse = (missing: readonly MissingSecret[]) => UserError;

/** The variables of a program, with their secrets. */
export interface ResolvedVariables {
  readonly values: Readonly<Record<string, string>>;
  /** Variables that get their values from Secrets of the cluster. */
  readonly references: Readonly<Record<string, SecretKey>>;
}

/**
 * Finds the secrets that variables name as `SECRET:NAME`. The first store that has a secret wins.
 *
 * @param refuse the error for those that no store has. Default: one that names the references
 * @returns the secrets by variable; variables with other values are left out
 */
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
  if (missing.length > 0) throw refuse(missing.map((each) => ({ ...each, ...complaint(each.secret, stores) })));
  return Object.fromEntries(wanted.map(({ variable, secret }) => [variable, found.get(secret) as FoundSecret]));
}

/** As {@link findSecrets}, with the variables that have other values. */
export async function resolveVariables(
  env: Readonly<Record<string, string>>,
  stores: readonly VariableStore[],
  refuse?: Refuse,
): Promise<ResolvedVariables> {
  const found = await findSecrets(env, stores, refuse);
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

function complaint(secret: string, stores: readonly VariableStore[]): Pick<MissingSecret, "problem" | "remedy"> {
  const places = stores.map(({ place }) => place).join(", nor in ");
  const command = stores[0]?.setCommand(secret) ?? "slipway secret set";
  return {
    problem: `names the secret ${secret}, which does not exist in ${places}`,
    remedy: `Set it: \`${command}\`.`,
  };
}

function refusal(missing: readonly MissingSecret[]): UserError {
  const culprit = [...new Set(missing.map(({ secret }) => `SECRET:${secret}`))].join(", ");
  const [first] = missing;
  const problem = missing.map((each) => `Variable ${each.variable} ${each.problem}.`).join("\n");
  return new UserError({ code: "secret-not-found", culprit }, problem, first?.remedy ?? "");
}
