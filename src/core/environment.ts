/** Environment variables: `process.env`, or those of a test. */
export type Environment = Readonly<Record<string, string | undefined>>;
