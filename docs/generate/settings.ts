import { code, sections, table } from "./markdown.ts";

const setting =
  /((?:^# .*\n)+)^(\w+)\(\n {4}name = "([^"]+)",\n {4}build_setting_default = (.+),\n(?: {4}values = \[([^\]]*)\],\n)?\)/gm;

/** The page of the build settings, whose descriptions are the comments above them. */
export function settingsPage(build: string): string {
  const rows = [...build.matchAll(setting)].map(([, comment = "", rule = "", name = "", value = "", values]) => [
    code(name),
    rule === "label_flag" ? "label" : rule.replace(/_flag$/, ""),
    code(value),
    comment.replace(/^# /gm, "") +
      (values ? ` One of ${[...values.matchAll(/"(.*?)"/g)].map(([, v]) => code(v ?? "")).join(", ")}.` : ""),
  ]);
  return sections(
    "# `@slipway//bazel/settings`",
    "Build settings: `--@slipway//bazel/settings:NAME=VALUE` on the command line, or in a line of `.bazelrc`.",
    table(["setting", "type", "default", ""], rows),
  );
}
