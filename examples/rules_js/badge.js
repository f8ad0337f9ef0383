import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text } from "@badge/label";
import sharp from "sharp";

// Draws a badge with sharp's native addon, and prints its size and digest.
const svg = await readFile(new URL("badge.svg", import.meta.url), "utf8");
const badge = Buffer.from(svg.replace("LABEL", text(process.argv[2] ?? "slipway")));
const { data, info } = await sharp(badge).png().toBuffer({ resolveWithObject: true });
console.log(`${info.width}x${info.height}, ${createHash("sha256").update(data).digest("hex").slice(0, 12)}`);
console.log(`images: ${process.env.SLIPWAY_CONTAINER_IMAGE_URIS ?? "none"}`);
