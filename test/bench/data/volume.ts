import { randomBytes, randomFillSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shell } from '../measure.js';
import { onceOnStage, type Stage } from '../stage.js';

export interface BenchVolume {
  name: string;
  /** The same files outside of it, for programs that read no volumes. */
  directory: string;
}

const FILES = { full: 17_000, smoke: 200 };
const FILES_IN_DIRECTORY = 100;
const MEAN_BYTES = 57_000;
/** Of the bytes: pictures, archives and what else is compressed already. */
const NOISE_SHARE = 0.25;

/** A Docker volume of about 1 GB in 17,000 files of all sizes: texts of words that repeat as they do in what people write, and noise. */
export const filesVolume = onceOnStage(async (stage: Stage): Promise<BenchVolume> => {
  const { isSmoke, say } = stage;
  const count = FILES[isSmoke ? 'smoke' : 'full'];
  const directory = join(stage.directory, 'files');
  say(`making a volume of ${String(count)} files`);
  const random = generator(7);
  const words = vocabulary(random);
  for (let number = 0; number < count; number++) {
    const folder = join(directory, `folder-${String(Math.floor(number / FILES_IN_DIRECTORY))}`);
    if (number % FILES_IN_DIRECTORY === 0) await mkdir(folder, { recursive: true });
    const size = Math.min(4_000_000, Math.ceil(-Math.log(1 - random()) * MEAN_BYTES));
    const isNoise = random() < NOISE_SHARE;
    const file = join(folder, `file-${String(number)}.${isNoise ? 'bin' : 'txt'}`);
    await writeFile(file, isNoise ? noise(size) : textOf(size, words, random));
  }
  const name = `bench-${randomBytes(6).toString('hex')}`;
  await shell(`docker volume create -- ${name}`);
  stage.atEnd(() => shell(`docker volume rm --force -- ${name}`));
  await shell(`cp -a -- "$FROM"/. "$(docker volume inspect --format '{{.Mountpoint}}' -- ${name})"`, {
    FROM: directory,
  });
  return { name, directory };
});

function noise(size: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(size));
}

/** Words of which few are frequent, as in any language. */
function textOf(size: number, words: readonly string[], random: () => number): string {
  const pieces: string[] = [];
  for (let length = 0; length < size;) {
    const word = words[Math.floor(words.length ** random()) - 1] ?? '';
    const piece = random() < 0.1 ? `${word} = ${String(Math.floor(random() * 100_000))};\n` : `${word} `;
    pieces.push(piece);
    length += piece.length;
  }
  return pieces.join('');
}

function vocabulary(random: () => number): string[] {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const letter = () => letters[Math.floor(26 * random() ** 2)] ?? 'e';
  return Array.from({ length: 20_000 }, () => Array.from({ length: 2 + Math.floor(random() * 9) }, letter).join(''));
}

/** The same numbers from 0 to 1 each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
