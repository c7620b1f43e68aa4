import { randomBytes, randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shell } from '../measure.js';
import { onceOnStage, type Stage } from '../stage.js';

export interface BenchVolume {
  name: string;
  /** The same files, for programs that read no volumes. */
  directory: string;
}

const FILES = { full: 17_000, smoke: 200 };
const FILES_IN_DIRECTORY = 100;
const MEAN_BYTES = 57_000;
const MOST_BYTES = 4_000_000;
/** Of the bytes: pictures, archives and what else is compressed already. */
const NOISE_SHARE = 0.25;
const PHRASES = 100_000;

/**
 * A Docker volume of about 1 GB in 17,000 files of all sizes: texts of phrases that repeat as they do in what people and programs write,
 * which compress to a quarter, and noise; together to 0.42 (zstd) or 0.47 (gzip).
 */
export const filesVolume = onceOnStage(async (stage: Stage): Promise<BenchVolume> => {
  const { isSmoke, say } = stage;
  const count = FILES[isSmoke ? 'smoke' : 'full'];
  say(`making a volume of ${String(count)} files`);
  const name = `bench-${randomBytes(6).toString('hex')}`;
  await shell(`docker volume create -- ${name}`);
  stage.atEnd(() => shell(`docker volume rm --force -- ${name}`));
  const directory = (await shell(`docker volume inspect --format '{{.Mountpoint}}' -- ${name}`)).trim();
  writeFiles(directory, count);
  await shell('sync --file-system -- "$DIRECTORY"', { DIRECTORY: directory }); // nobody measures how it gets to the disk
  return { name, directory };
});

function writeFiles(directory: string, count: number): void {
  const random = generator(7);
  const phrases = phrasesOf(vocabulary(random), random);
  const buffer = Buffer.allocUnsafe(MOST_BYTES);
  for (let number = 0; number < count; number++) {
    const folder = join(directory, `folder-${String(Math.floor(number / FILES_IN_DIRECTORY))}`);
    if (number % FILES_IN_DIRECTORY === 0) mkdirSync(folder, { recursive: true });
    const size = Math.min(MOST_BYTES, Math.ceil(-Math.log(1 - random()) * MEAN_BYTES));
    const isNoise = random() < NOISE_SHARE;
    const content = buffer.subarray(0, size);
    if (isNoise) randomFillSync(content);
    else fillWithText(content, phrases, random);
    writeFileSync(join(folder, `file-${String(number)}.${isNoise ? 'bin' : 'txt'}`), content);
  }
}

/** Phrases of which few are frequent, as words are in any language. */
function fillWithText(content: Buffer, phrases: readonly string[], random: () => number): void {
  for (let length = 0; length < content.length;) {
    const phrase = phrases[Math.floor(phrases.length ** random()) - 1] ?? '';
    length += content.write(phrase, length, 'latin1');
    if (random() < 0.1) length += content.write(`${String(Math.floor(random() * 100_000))};\n`, length, 'latin1');
  }
}

function phrasesOf(words: readonly string[], random: () => number): string[] {
  const word = () => `${words[Math.floor(words.length ** random()) - 1] ?? ''} `;
  return Array.from({ length: PHRASES }, () => Array.from({ length: 1 + Math.floor(random() * 4) }, word).join(''));
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
