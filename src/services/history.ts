import { UserError } from "../core/errors.ts";

export interface Revision {
  /** The first is 1, the newest is the highest. */
  readonly revision: number;
  readonly created: string;
  /** `ada: changed image`. */
  readonly cause?: string;
  readonly image?: string;
  readonly isCurrent: boolean;
}

/** As many as Kubernetes keeps of a Deployment. */
export const keptRevisions = 11;

/** The one that was asked for, else the newest before the current one. @throws UserError if that is none */
export function revisionToRestore<Some extends Revision>(
  service: string,
  revisions: readonly Some[],
  asked: number | undefined,
): Some {
  const earlier = revisions.filter(({ isCurrent }) => !isCurrent);
  const newestFirst = earlier.toSorted((one, other) => other.revision - one.revision);
  const current = revisions.find(({ isCurrent }) => isCurrent);
  const before = newestFirst.filter(({ revision }) => current === undefined || revision < current.revision);
  const found = asked === undefined ? before[0] : earlier.find(({ revision }) => revision === asked);
  if (found) return found;
  const known = newestFirst.map(({ revision }) => revision);
  const problem =
    asked === undefined
      ? `Service ${service} has no earlier revision.`
      : asked === current?.revision
        ? `Service ${service} is at revision ${asked} already.`
        : `Service ${service} has no revision ${asked}.`;
  const remedy =
    known.length === 0
      ? "Apply a file with the version that should run."
      : `\`slipway service history ${service}\` lists them: ${known.join(", ")}.`;
  throw new UserError({ code: "revision-not-found", culprit: service }, problem, remedy);
}

/** How a revision differs from the one before: `changed image`. */
export function causeOf(fields: readonly string[] | undefined): string {
  if (fields === undefined) return "created";
  const names = fields.map((field) => field.replace(/^spec\.template\.(spec\.)?(containers\[0\]\.)?/, ""));
  const text = `changed ${names.join(", ")}`;
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}

export function notRestorable(service: string, revision: number, missing: readonly string[]): UserError {
  return new UserError(
    { code: "revision-not-found", culprit: service },
    `Revision ${revision} of service ${service} needs what is no longer there: ${missing.join(", ")}.`,
    `Choose another one of \`slipway service history ${service}\`, or apply a file with the version that should run.`,
  );
}
