// Everything that needs AWS's own packages. Programs import it by the name of what it is built to (`.mjs`), because it lies beside the
// launcher as a file of its own: all of AWS inside it would cost every start-up what few ever use.
export { openAwsKey } from "./aws-kms.ts";
export { exchangeForEcr, readAwsSecret } from "./aws.ts";
