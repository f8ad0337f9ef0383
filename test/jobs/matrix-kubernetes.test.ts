import { it } from "vitest";
import { joinCluster } from "./cluster.ts";
import { runMatrix } from "./matrix.ts";

it("every image runs with every kind of code in a cluster", () => runMatrix(["kubernetes"], joinCluster), 900_000);
