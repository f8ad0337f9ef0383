/** Timeouts of all AWS clients, in milliseconds. */
export const requestHandler = { connectionTimeout: 5_000, requestTimeout: 15_000 } as const;

/** The fields of the SDK's errors that are used. */
type SdkError = Partial<NodeJS.ErrnoException> & { readonly $metadata?: { readonly httpStatusCode?: number } };

/** Explains an AWS SDK error that is independent of the request: no credentials, no region, no connection. */
export function explainAwsError(error: unknown) {
  const { name = "", message = "", code = "", $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  if (name === "CredentialsProviderError" || /could not load credentials/i.test(message)) {
    return {
      problem: "no AWS credentials were found",
      remedy: "Log in with `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    };
  }
  if (/region (is missing|not accepted)/i.test(message)) {
    return { problem: "no AWS region is known", remedy: "Give --region, or set AWS_REGION." };
  }
  if (/ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch/.test(name)) {
    return { problem: `AWS does not accept your AWS credentials (${name})`, remedy: "Log in to AWS again." };
  }
  if (/AccessDenied|NotAuthorized|UnauthorizedOperation/.test(name) || status === 403) {
    return {
      problem: `AWS denies it (${status === undefined ? name : `${status} ${name}`})`,
      remedy: "Ask whoever runs the AWS account for the permission, or use another AWS_PROFILE.",
    };
  }
  return {
    problem: `AWS did not answer as it should (${code || name || "unknown error"})`,
    remedy: "Check the region and the way to AWS, then try again.",
  };
}
