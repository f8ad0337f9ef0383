declare const isAllowed: unique symbol;

/** The reference of an image that may run by the rules of the configuration file. Engines take nothing else. */
export type RunnableImage = string & { readonly [isAllowed]: true };
