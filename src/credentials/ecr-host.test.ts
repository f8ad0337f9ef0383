import { describe, expect, it } from "vitest";
import { ecrRegistry } from "./ecr-host.ts";

describe("a private registry of ECR", () => {
  it.each([
    ["123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1", false],
    ["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", true],
    ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", false],
    ["123456789012.dkr-ecr.us-east-1.on.aws", "us-east-1", false],
  ])("is known by its name: %s", (host, region, fips) => {
    expect(ecrRegistry(host)).toEqual({ account: "123456789012", region, fips });
  });

  it.each([
    "public.ecr.aws",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.org",
    "evil-123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    "12345.dkr.ecr.eu-central-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com:8443",
    "123456789012.dkr.ecr.evil.org/x.amazonaws.com",
  ])("is not %s", (host) => expect(ecrRegistry(host)).toBeUndefined());
});
