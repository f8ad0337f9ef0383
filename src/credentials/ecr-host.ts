export interface EcrRegistry {
  readonly account: string;
  readonly region: string;
  readonly fips: boolean;
}

const domain = "amazonaws\\.com(?:\\.cn)?|amazonaws\\.eu|on\\.aws|on\\.amazonwebservices\\.com\\.cn";
const pattern = new RegExp(`^(\\d{12})\\.dkr[.-]ecr(-fips)?\\.([a-z]{2,}(?:-[a-z0-9]+)+)\\.(?:${domain})$`);

/** Recognises a private ECR registry by its host. Undefined for other registries. */
export function ecrRegistry(host: string): EcrRegistry | undefined {
  const match = pattern.exec(host.toLowerCase());
  if (!match) return undefined;
  const [, account = "", fips, region = ""] = match;
  return { account, region, fips: fips !== undefined };
}
