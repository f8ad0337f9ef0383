// Counts test cases: node count-results.mjs BUILD_EVENTS.json…
// Prints "N passed, N failed, N skipped" and exits with 1 when something failed or nothing ran. A target's cases are in its test.xml; a target
// that Bazel skips, because this machine lacks what it needs, is one skipped case. Of a target that ran in several tiers the last run counts.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const targets = new Map();
const tests = new Set();
for (const file of process.argv.slice(2)) {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line === "") continue;
    const event = JSON.parse(line);
    if (event.configured?.targetKind.endsWith("_test rule")) tests.add(event.id.targetConfigured.label);
    if (event.testResult) targets.set(event.id.testResult.label, countTarget(event.testResult));
    else if (event.aborted?.reason === "SKIPPED" && event.id.targetCompleted) {
      const label = event.id.targetCompleted.label;
      if (tests.has(label) && !targets.has(label)) targets.set(label, { passed: 0, failed: 0, skipped: 1 });
    }
  }
}

function countTarget(result) {
  const xml = result.testActionOutput?.find(({ name }) => name === "test.xml");
  const path = xml?.uri.startsWith("file:") ? fileURLToPath(xml.uri) : undefined;
  const cases =
    path && existsSync(path) ? countCases(readFileSync(path, "utf8")) : { passed: 0, failed: 0, skipped: 0 };
  // A result from the cache that had taken two attempts is FLAKY.
  const hasPassed = ["PASSED", "FLAKY"].includes(result.status);
  // A target that failed without a failed case (it crashed, or ran out of time) is one failure.
  if (!hasPassed && cases.failed === 0) cases.failed = 1;
  if (hasPassed && cases.passed + cases.skipped === 0) cases.passed = 1;
  return cases;
}

function countCases(xml) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, attributes, body = ""] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(body)) counts.failed++;
    else if (/<skipped\b/.test(body) || /status="notrun"/.test(attributes)) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const [label, counts] of [...targets].sort(([a], [b]) => (a < b ? -1 : 1))) {
  for (const key of Object.keys(total)) total[key] += counts[key];
  if (counts.failed > 0) console.log(`failed: ${label}`);
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
