import { expect, it } from "vitest";
import { licenseExpression } from "./license-expression.ts";

it.each([
  ["MIT", "MIT"],
  [" (MIT or Apache-2.0) ", "MIT OR Apache-2.0"],
  ["(MIT or ISC)and 0BSD", "(MIT OR ISC) AND 0BSD"],
  ["MIT ORISC AND 0BSD", "MIT OR ISC AND 0BSD"],
  ["GPL-2.0-or-later with Classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"],
  ["GPL-2.0+", "GPL-2.0+"],
  ["Apache-1.0+", "Apache-1.0+"],
])("reads %j as %j", (text, expression) => {
  expect(licenseExpression(text)).toBe(expression);
});

it.each([
  "",
  " ",
  "BSD",
  "mit",
  "MIT License",
  "MIT,ISC",
  "MIT ISC",
  "MIT;MIT",
  "MIT\nISC",
  "LicenseRef-own",
  "(".repeat(1e5),
])("reads no expression from %.20j", (text) => {
  expect(licenseExpression(text)).toBeUndefined();
});
