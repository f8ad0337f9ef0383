import { expect, it } from "vitest";
import { inlineContent } from "./descriptor.ts";
import { sha256 } from "./digest.ts";

it("content in a descriptor counts only if it is that of the digest", () => {
  const content = Buffer.from("content");
  const descriptor = { digest: sha256(content), size: content.length };
  const data = (text: string) => ({ ...descriptor, data: Buffer.from(text).toString("base64") });
  expect(inlineContent(data("content"))).toEqual(content);
  for (const other of [descriptor, data("CONTENT"), data("cont"), data(""), { ...data("content"), size: 6 }])
    expect(inlineContent(other)).toBeUndefined();
  expect(inlineContent({ digest: sha256(""), size: 0 })).toBeUndefined();
});
