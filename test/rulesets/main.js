import { name as label } from "@badge/label";
import { name as express } from "express";
import { readFileSync } from "node:fs";

const note = readFileSync(new URL("note.txt", import.meta.url), "utf8").trim();
console.log(JSON.stringify({ label, express, note, bootstrapped: process.env.BOOTSTRAPPED, arguments: process.argv.slice(2) }));
