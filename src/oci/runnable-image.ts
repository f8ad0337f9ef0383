declare const isAllowed: unique symbol;

/** Allowed by the rules of the configuration file. Engines take nothing else. */
export type RunnableImage = string & { readonly [isAllowed]: true };
