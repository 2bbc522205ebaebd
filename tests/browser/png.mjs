// Makes pictures of screens small: a palette of the most frequent colours, and zlib's best.
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;
/** The upper four bits of each channel. */
const CUBE = 0xf0f0f0;

/** The same picture with at most 256 colours. */
export function smaller(png) {
  const { width, height, pixels } = decoded(png);
  const palette = coloursOf(pixels);
  const nearest = new Map(palette.map((colour, index) => [colour, index]));
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = pixels[y * width + x];
      if (!nearest.has(colour)) nearest.set(colour, closest(palette, colour));
      rows[y * (width + 1) + 1 + x] = nearest.get(colour);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", colours), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

/** The colours that stand for all: the most frequent one of each small cube of like colours, of the fullest cubes. */
function coloursOf(pixels) {
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const cubes = new Map();
  for (const [colour, count] of counts) {
    const cube = cubes.get(colour & CUBE) ?? { colour, most: 0, count: 0 };
    if (count > cube.most) Object.assign(cube, { colour, most: count });
    cube.count += count;
    cubes.set(colour & CUBE, cube);
  }
  return [...cubes.values()].sort((one, other) => other.count - one.count).slice(0, COLOURS).map(({ colour }) => colour);
}

function closest(palette, colour) {
  let best = 0;
  let least = Infinity;
  for (let index = 0; index < palette.length; index++) {
    const [red, green, blue] = [16, 8, 0].map((shift) => ((palette[index] >> shift) & 255) - ((colour >> shift) & 255));
    const distance = 2 * red * red + 4 * green * green + 3 * blue * blue;
    if (distance < least) [least, best] = [distance, index];
  }
  return best;
}

/** The pixels of a PNG of 8 bits a channel without interlacing, which is what browsers make. */
function decoded(png) {
  let at = SIGNATURE.length;
  let head;
  const data = [];
  while (at < png.length) {
    const length = png.readUInt32BE(at);
    const name = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (name === "IHDR") head = body;
    if (name === "IDAT") data.push(body);
    at += length + 12;
  }
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const depth = head[9] === 6 ? 4 : 3;
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * depth;
  const bytes = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= depth ? bytes[y * stride + x - depth] : 0;
      const up = y > 0 ? bytes[(y - 1) * stride + x] : 0;
      const corner = x >= depth && y > 0 ? bytes[(y - 1) * stride + x - depth] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      bytes[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  const pixels = new Uint32Array(width * height);
  for (let index = 0; index < pixels.length; index++) pixels[index] = (bytes[index * depth] << 16) | (bytes[index * depth + 1] << 8) | bytes[index * depth + 2];
  return { width, height, pixels };
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function chunk(name, body) {
  const named = Buffer.concat([Buffer.from(name, "latin1"), body]);
  const whole = Buffer.alloc(named.length + 8);
  whole.writeUInt32BE(body.length, 0);
  named.copy(whole, 4);
  whole.writeUInt32BE(crc(named), named.length + 4);
  return whole;
}

function crc(bytes) {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}
