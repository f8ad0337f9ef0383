import { describe, expect, it } from "vitest";
import { isRetriableFault, isRetriableStatus, parseRetryAfter } from "./retry.ts";

describe("parseRetryAfter", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    ["Thu, 01 Jan 1970 00:00:10 GMT", 9_000],
    ["Wed, 31 Dec 1969 00:00:00 GMT", 0],
    ["soon", undefined],
    [undefined, undefined],
  ])("reads %j", (value, expected) => {
    expect(parseRetryAfter(value, 1_000)).toBe(expected);
  });
});

describe("what is tried again", () => {
  it.each([408, 425, 429, 500, 502, 503, 504])("is %d", (status) => expect(isRetriableStatus(status)).toBe(true));
  it.each([200, 400, 401, 404, 416, 501, 507])("is not %d", (status) => expect(isRetriableStatus(status)).toBe(false));
  it.each(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "HPE_INVALID_CONSTANT"])("is %s", (code) =>
    expect(isRetriableFault(Object.assign(new Error(), { code }))).toBe(true),
  );
  it.each(["ENOTFOUND", "ENOENT", "EPROTO", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID", undefined])(
    "is not %s",
    (code) => expect(isRetriableFault(Object.assign(new Error(), { code }))).toBe(false),
  );
});
