/** The build replaces this name with the version in bazel/private/version.bzl. */
declare const SLIPWAY_VERSION: string | undefined;

/** Sources that run unbundled have none. */
export const version = typeof SLIPWAY_VERSION === "undefined" ? "unreleased" : SLIPWAY_VERSION;
