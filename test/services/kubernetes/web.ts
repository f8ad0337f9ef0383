import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";

// Answers with the files that it sees: `GET /etc/hosts`; for a folder, with the names in it.
for (const port of [8080, 8501]) {
  createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    try {
      const isFolder = statSync(path).isDirectory();
      response.end(isFolder ? JSON.stringify(readdirSync(path).sort()) : readFileSync(path));
    } catch (error) {
      response.writeHead(404).end(String(error));
    }
  }).listen(port);
}
process.on("SIGTERM", () => process.exit());
