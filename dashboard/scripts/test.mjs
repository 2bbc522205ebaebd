// Builds the tests of what needs no browser with the bundler that is there already, and runs them with Node's own runner.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { build } from "vite";

const out = "node_modules/.tests";
const tests = readdirSync("tests").filter((name) => name.endsWith(".test.ts"));
await build({ configFile: false, logLevel: "error", build: { ssr: true, outDir: out, emptyOutDir: true, rollupOptions: { input: tests.map((name) => `tests/${name}`), output: { entryFileNames: "[name].mjs" } } } });
const done = spawnSync(process.execPath, ["--test", ...tests.map((name) => `${out}/${name.replace(/\.ts$/, ".mjs")}`)], { stdio: "inherit" });
process.exitCode = done.status ?? 1;
