// Writes NAME.br and NAME.gz beside each built file, so that the server never compresses anything itself.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url).pathname;
const WORTH_BYTES = 256;

let total = 0;
for (const path of files(DIST)) {
  const bytes = readFileSync(path);
  const br = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const gz = gzipSync(bytes, { level: 9 });
  // A gzip header has a time and an operating system in it; Node writes no time, and byte 9 is made the same everywhere.
  gz[9] = 255;
  if (bytes.length >= WORTH_BYTES && br.length < bytes.length) writeFileSync(`${path}.br`, br);
  if (bytes.length >= WORTH_BYTES && gz.length < bytes.length) writeFileSync(`${path}.gz`, gz);
  total += Math.min(br.length, bytes.length);
}
console.log(`dashboard: ${(total / 1000).toFixed(1)} kB compressed`);

function files(directory) {
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path) : [path]))
    .filter((path) => !/\.(br|gz)$/.test(path));
}
