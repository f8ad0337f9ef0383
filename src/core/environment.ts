/** Environment variables: `process.env`, or those that a test gives. */
export type Environment = Readonly<Record<string, string | undefined>>;
