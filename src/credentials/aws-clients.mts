// Programs import it by the name of its bundle (`.mjs`), a file beside the launcher, since few starts need AWS's
// packages.
export { openAwsKey } from "./aws-kms.ts";
export { exchangeForEcr, readAwsSecret } from "./aws.ts";
