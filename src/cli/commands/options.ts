/** A flag, off by default. */
export const flag = (describe: string) => ({ type: "boolean", default: false, describe }) as const;

/** A text that may be omitted. */
export const text = (describe: string) => ({ type: "string", describe }) as const;

/** A text that must be given. */
export const required = (describe: string) => ({ type: "string", demandOption: true, describe }) as const;

/** One text or more. */
export const list = (describe: string) => ({ type: "string", array: true, describe }) as const;

export const json = flag("Print JSON");
