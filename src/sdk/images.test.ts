import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { parseImages } from "../oci/image-uris.ts";
import { containerImage, hasContainerImage } from "./images.ts";

const digest = `sha256:${"0".repeat(64)}`;

describe("parseImages", () => {
  it("reads back whatever was written", () => {
    const host = fc.oneof(
      fc.domain(),
      fc.constant("localhost"),
      fc.ipV6().map((address) => `[${address}]`),
    );
    const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
    const address = fc
      .tuple(host, port, fc.stringMatching(/^[a-z][a-z0-9/._-]{0,20}$/))
      .map(([name, number, path]) => `${name}${number === undefined ? "" : `:${number}`}/${path}@${digest}`);
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-zA-Z0-9_][\w.-]{0,12}$/), address), (images) => {
        const text = Object.entries(images)
          .map(([tag, uri]) => `${tag}##${uri}`)
          .join("::");
        expect([...parseImages(text)]).toEqual(Object.entries(images));
      }),
    );
  });

  it.each(["localhost/a", "##a", "default##", "h/a::nothing"])("refuses %j", (text) => {
    expect(() => parseImages(text)).toThrow(userErrorWith("variable-invalid"));
  });
});

describe("containerImage", () => {
  const env = { SLIPWAY_CONTAINER_IMAGE_URIS: `default##localhost:5000/a@${digest}::slim##localhost:5000/a@${digest}` };

  it("gives the image of a tag, the default one unasked", () => {
    expect(containerImage("default", env)).toBe(`localhost:5000/a@${digest}`);
    expect(hasContainerImage("slim", env)).toBe(true);
  });

  it("names the tag that was not built, and those that were", () => {
    expect(() => containerImage("gpu", env)).toThrow(userErrorWith("image-not-found", "gpu"));
    expect(() => containerImage("gpu", env)).toThrow("this program has images for default, slim.");
    expect(hasContainerImage("gpu", env)).toBe(false);
  });

  it("says that there is no image at all", () => {
    expect(() => containerImage("default", {})).toThrow("this program was started without an image");
    expect(hasContainerImage("default", { SLIPWAY_CONTAINER_IMAGE_URIS: "" })).toBe(false);
  });

  it("lets the user's own image win for every tag", () => {
    const custom = { ...env, SLIPWAY_CONTAINER_IMAGE: "ubuntu:24.04" };
    expect(containerImage("default", custom)).toBe("ubuntu:24.04");
    expect(containerImage("gpu", custom)).toBe("ubuntu:24.04");
  });
});
