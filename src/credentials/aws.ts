/** How long AWS may take, for all clients. Milliseconds. */
export const requestHandler = { connectionTimeout: 5_000, requestTimeout: 15_000 } as const;

/** What went wrong with AWS, in words that say what to do. The SDK's own message is for those cases that it explains better. */
export interface AwsProblem {
  readonly problem: string;
  readonly remedy: string;
}

/** Explains an error of the AWS SDK that has nothing to do with what was asked for: no credentials, no region, no way there. */
export function explainAwsError(error: unknown): AwsProblem {
  const { name = "", message = "", code = "" } = error as { name?: string; message?: string; code?: string };
  if (name === "CredentialsProviderError" || /could not load credentials/i.test(message)) {
    return {
      problem: "no AWS credentials were found",
      remedy: "Log in with `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    };
  }
  if (/region is missing/i.test(message)) {
    return { problem: "no AWS region is known", remedy: "Give --region, or set AWS_REGION." };
  }
  if (/AccessDenied|NotAuthorized|UnauthorizedOperation/.test(name)) {
    return {
      problem: `AWS denies it (${name})`,
      remedy: "Ask whoever runs the AWS account for the permission, or use another AWS_PROFILE.",
    };
  }
  if (/ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch/.test(name)) {
    return {
      problem: `AWS does not accept your AWS credentials (${name})`,
      remedy: "Log in to AWS again.",
    };
  }
  return {
    problem: `AWS did not answer as it should (${code || name || "unknown error"})`,
    remedy: "Check the region and the way to AWS, then try again.",
  };
}
