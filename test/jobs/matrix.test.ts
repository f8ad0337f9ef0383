import { it } from "vitest";
import { runMatrix } from "./matrix.ts";

it(
  "every interpreter runs with every kind of code on this machine",
  () => runMatrix(["process", "container"]),
  900_000,
);
