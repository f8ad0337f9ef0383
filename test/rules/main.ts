import { parse } from "yaml";

console.log(parse("answer: 42"));
