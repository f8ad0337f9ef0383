/** Which species is a penguin? Compares nearest-neighbour models, as steps that run in the image. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataFile, type FileValue, file, inImage, main, scratchFolder } from "slipway";

type Penguin = { readonly species: string; readonly measures: readonly number[] };
type Parts = { readonly known: FileValue; readonly asked: FileValue };
type Model = { readonly neighbours: number; readonly right: number; readonly asked: number };

/** Change the version of a step when its results are no longer right. Only that step runs again, and what takes another result of it. */
const keep = true;

const load = inImage("load", readPenguins, { keep, version: "1" });
const split = inImage("split", splitPenguins, { keep, version: "1" });
const train = inImage("train", tryModel, { keep, version: "1" });
const pick = inImage("pick", pickBest, { keep, version: "1" });
const plot = inImage("plot", drawModels, { keep, version: "1" });

await main(async () => {
  const parts = split(load());
  const models = train.map([1, 3, 5, 9, 15, 25, 45, 85].map((neighbours) => ({ neighbours, parts })));
  const best = pick(models);
  const picture = plot(models, best);

  const { neighbours, right, asked: count } = await best;
  console.log(`${neighbours} neighbours: ${right} of ${count} penguins are right`);
  await (await picture).save("penguins.svg");
  console.log("The comparison is in penguins.svg.");
});

/** Reads the penguins whose measures are complete. */
function readPenguins(): Penguin[] {
  const [, ...lines] = readFileSync(dataFile("penguins.csv"), "utf8").trim().split("\n");
  return lines.flatMap((line) => {
    const [species = "", , ...cells] = line.split(",");
    const measures = cells.slice(0, 4).map((cell) => (cell === "" ? Number.NaN : Number(cell)));
    return measures.every(Number.isFinite) ? [{ species, measures }] : [];
  });
}

/** Every fifth penguin is asked for; the others are known. */
function splitPenguins(penguins: readonly Penguin[]): Parts {
  const write = (name: string, chosen: readonly Penguin[]) => {
    const path = join(scratchFolder(), name);
    writeFileSync(path, JSON.stringify(chosen));
    return file(path);
  };
  return {
    known: write(
      "known.json",
      penguins.filter((_, index) => index % 5 !== 0),
    ),
    asked: write(
      "asked.json",
      penguins.filter((_, index) => index % 5 === 0),
    ),
  };
}

/** Counts how many of the penguins a model takes for what they are. */
function tryModel({ neighbours, parts }: { readonly neighbours: number; readonly parts: Parts }): Model {
  const read = ({ path }: FileValue): Penguin[] => JSON.parse(readFileSync(path, "utf8"));
  const [known, asked] = [read(parts.known), read(parts.asked)];
  const spans = [0, 1, 2, 3].map((column) => {
    const values = known.map(({ measures }) => measures[column] ?? 0);
    return Math.max(...values) - Math.min(...values);
  });
  const right = asked.filter(({ species, measures }) => {
    const near = known
      .map((other) => ({ species: other.species, distance: distance(measures, other.measures, spans) }))
      .sort((one, other) => one.distance - other.distance)
      .slice(0, neighbours);
    return mostFrequent(near.map((each) => each.species)) === species;
  });
  return { neighbours, right: right.length, asked: asked.length };
}

function distance(one: readonly number[], other: readonly number[], spans: readonly number[]): number {
  return one.reduce((sum, value, column) => sum + ((value - (other[column] ?? 0)) / (spans[column] ?? 1)) ** 2, 0);
}

function mostFrequent(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most), ["", 0] as [string, number])[0];
}

/** The model that is right most often; of equal ones, that with the fewest neighbours. */
function pickBest(models: readonly Model[]): Model {
  return models.reduce((best, model) => (model.right > best.right ? model : best));
}

/** Draws a bar for each model. */
function drawModels(models: readonly Model[], best: Model): FileValue {
  const bars = models.map(({ neighbours, right, asked }, row) => {
    const colour = neighbours === best.neighbours ? "#0b6e4f" : "#9aa5b1";
    const y = 30 * row;
    return [
      `<text x="40" y="${y + 20}" text-anchor="end">${neighbours}</text>`,
      `<rect x="50" y="${y + 5}" width="${Math.round((300 * right) / asked)}" height="20" fill="${colour}"/>`,
      `<text x="360" y="${y + 20}">${right} of ${asked}</text>`,
    ].join("\n");
  });
  const size = `viewBox="0 0 430 ${30 * models.length}" font-family="sans-serif" font-size="14"`;
  const path = join(scratchFolder(), "penguins.svg");
  writeFileSync(path, `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n${bars.join("\n")}\n</svg>\n`);
  return file(path);
}
