import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text } from "@badge/label";
import express from "express";
import sharp from "sharp";

// Serves a badge as PNG, drawn by sharp's native addon, asks itself for it once, and ends.
const app = express();
app.get("/badge.png", async (request, response) => {
  const svg = await readFile(new URL("badge.svg", import.meta.url), "utf8");
  const png = await sharp(Buffer.from(svg.replace("LABEL", text(request.query.of)))).png().toBuffer();
  response.type("png").send(png);
});

const server = app.listen(0, "127.0.0.1", async () => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/badge.png?of=${process.argv[2] ?? "slipway"}`);
  const png = Buffer.from(await answer.arrayBuffer());
  const { width, height } = await sharp(png).metadata();
  console.log(`${width}x${height}, ${createHash("sha256").update(png).digest("hex").slice(0, 12)}`);
  console.log(`images: ${process.env.SLIPWAY_CONTAINER_IMAGE_URIS ?? "none"}`);
  server.close();
});
