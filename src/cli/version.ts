/** What the build puts in place of the name, from bazel/private/version.bzl. */
declare const SLIPWAY_VERSION: string | undefined;

/** The version of Slipway; sources that run as they are have none. */
export const version = typeof SLIPWAY_VERSION === "undefined" ? "unreleased" : SLIPWAY_VERSION;
