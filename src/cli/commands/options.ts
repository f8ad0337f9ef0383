export const flag = (describe: string) => ({ type: "boolean", default: false, describe }) as const;

export const text = (describe: string) => ({ type: "string", describe }) as const;

export const required = (describe: string) => ({ type: "string", demandOption: true, describe }) as const;

export const list = (describe: string) => ({ type: "string", array: true, describe }) as const;

export const number = (describe: string) => ({ type: "number", describe }) as const;

export const json = flag("Print JSON");

export const image = required("REGISTRY/REPOSITORY:TAG or …@sha256:DIGEST");

export const platform = text(
  "Platform to pick from an index, os/architecture[/variant]. Default: Linux on this machine's processor",
);

export const logLines = {
  tail: number("Only the last lines of each pod or container, so many"),
  since: text("Only what was printed since: a duration such as 10m, or a time"),
  timestamps: flag("Print the time before each line"),
};
