import { UserError } from "../../core/errors.ts";
import { words } from "../deb822.ts";
import type { Lock } from "../lock.ts";

/** Attributes of `base_images.debian`. Empty: not declared. */
export interface DeclaredRequest {
  /** Separated by blanks. */
  readonly suite: string;
  readonly components: readonly string[];
  readonly architecture: string;
  readonly packages: readonly string[];
}

/** @throws UserError with the attribute that the lock was not made for, and the command that makes it */
export function checkRequest(lock: Lock, declared: DeclaredRequest, file: string): void {
  const suites = words(declared.suite);
  const expectations = [
    ["suite", suites, lock.suites],
    ["components", declared.components, lock.components],
    ["architecture", words(declared.architecture), [lock.architecture]],
    ["packages", declared.packages, lock.packages],
  ] as const;
  for (const [attribute, wanted, locked] of expectations) {
    if (wanted.length === 0 || wanted.toSorted().join(" ") === locked.toSorted().join(" ")) continue;
    const list = (flag: string, values: readonly string[]) => values.map((value) => ` --${flag} ${value}`).join("");
    const or = <T>(given: readonly T[], otherwise: readonly T[]) => (given.length > 0 ? given : otherwise);
    throw new UserError(
      { code: "lock-outdated", culprit: file },
      `${file} was made for the ${attribute} ${locked.join(", ")}, but ${wanted.join(", ")} is declared.`,
      `Run: slipway image lock ${file}${list("suite", or(suites, lock.suites))}${list("component", or(declared.components, lock.components))}` +
        ` --architecture ${declared.architecture || lock.architecture}${list("package", or(declared.packages, lock.packages))}` +
        list("exclude", lock.excluded),
    );
  }
}
