/** What each image of this program has, found out inside it. */
import { existsSync, readFileSync } from "node:fs";
import { containerImage, hasContainerImage, inImage, main } from "slipway";

const look = () => ({
  python: existsSync("/usr/bin/python3"),
  team: process.env["TEAM"] ?? "",
  settings: existsSync("/etc/team/settings.json") ? readFileSync("/etc/team/settings.json", "utf8").trim() : "",
});

const images = {
  default: inImage("look", look),
  slim: inImage("look in slim", look, { tag: "slim" }),
  team: inImage("look in team", look, { tag: "team" }),
};

await main(async () => {
  if (!hasContainerImage()) return console.log("This program was started without images.");
  for (const [tag, look] of Object.entries(images)) {
    const { python, team, settings } = await look();
    console.log(`${tag}: python ${python ? "yes" : "no"}, team ${team || "none"}, settings ${settings || "none"}`);
    console.log(`  ${containerImage(tag)}`);
  }
});
