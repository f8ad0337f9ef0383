import { describe, expect, it } from "vitest";
import { Backoff } from "../../core/back-off.ts";
import { defaultRetryPolicy, isRetriableFault, isRetriableStatus, parseRetryAfter } from "./retry.ts";

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

describe("Backoff", () => {
  const policy = { ...defaultRetryPolicy, firstDelay: 1, maximumDelay: 2 };

  it("waits so often, and counts anew once something was achieved", async () => {
    const backoff = new Backoff({ ...policy, attempts: 3 });
    expect([await backoff.wait(), await backoff.wait(), await backoff.wait()]).toEqual([true, true, false]);
    expect(backoff.attempts).toBe(3);
    backoff.reset();
    expect(await backoff.wait()).toBe(true);
  });

  it("refuses at once to wait longer than its budget", async () => {
    expect(await new Backoff(policy).wait({ retryAfter: policy.budget + 1 })).toBe(false);
    expect(await new Backoff(policy).wait({ budget: 0 })).toBe(false);
  });

  it("adds up what it waited", async () => {
    const backoff = new Backoff({ ...policy, budget: 20 });
    expect([await backoff.wait({ retryAfter: 12 }), await backoff.wait({ retryAfter: 12 })]).toEqual([true, false]);
  });

  it("ends a wait that is not wanted any more", async () => {
    const stop = new AbortController();
    const waiting = new Backoff(policy).wait({ retryAfter: 60_000, signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
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
