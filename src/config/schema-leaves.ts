import { z } from 'zod';
import { BackupError } from '../domain/errors.js';
import { LONGEST_TIMER_MS, parseDuration } from './duration.js';
import { parseSize } from './size.js';

/** What people are told about a key: in the documentation, in the JSON Schema and where its value is wrong. */
export interface KeyNotes {
  description: string;
  /** What a value must be, as it follows "expected ": `a whole number from 1 to 50`. */
  expects: string;
  example: string | number | boolean | readonly string[];
  /** What counts where the key is absent; a text in parentheses describes rather than quotes it. */
  default?: string | number | boolean;
  /** Its value is, or may hold, a secret: messages never quote it. */
  isHidden?: true;
}

export const keyNotes = z.registry<KeyNotes>();

/** The example as YAML has it. */
export function exampleText({ example }: KeyNotes): string {
  if (typeof example === 'object') return `[${example.map((each) => JSON.stringify(each)).join(', ')}]`;
  return typeof example === 'string' ? JSON.stringify(example) : String(example);
}

export type LeafNotes = Omit<KeyNotes, 'expects'> & { expects?: string };

/** Text without NUL, which no program takes. */
export function text({ expects = 'text', ...notes }: LeafNotes, accepts: (value: string) => boolean = () => true) {
  const schema = z.string({ error: `expected ${expects}` });
  const checked = schema.refine((value) => !value.includes('\0') && accepts(value), { error: `expected ${expects}` });
  return checked.register(keyNotes, { expects, ...notes });
}

/** Text that is not empty and has no line break. */
export function line(
  { expects = 'one line of text', ...notes }: LeafNotes,
  accepts: (value: string) => boolean = () => true,
) {
  return text({ expects, ...notes }, (value) => value !== '' && !/[\r\n]/.test(value) && accepts(value));
}

/** A number, or text with its digits. */
export function wholeNumber({
  lowest,
  highest,
  ...notes
}: { lowest: number; highest: number } & Omit<LeafNotes, 'expects'>) {
  const expects = `a whole number from ${String(lowest)} to ${String(highest)}`;
  const error = `expected ${expects}`;
  const inRange = z.int({ error }).min(lowest, { error }).max(highest, { error });
  const digits = z.string().regex(/^\d{1,15}$/, { error });
  const schema = z.union([inRange, digits.transform(Number).pipe(inRange)], { error });
  return schema.register(keyNotes, { expects, ...notes });
}

/** The highest level of any compressor; 0 to 9 for gzip is checked where the compression is known. */
export function compressionLevel(notes: { description: string; default: string }) {
  return wholeNumber({ lowest: 0, highest: 19, example: 6, ...notes });
}

/** true or false, or the same as text. */
export function truth(notes: Omit<LeafNotes, 'expects'>) {
  const expects = 'true or false';
  const written = z.enum(['true', 'false']).transform((value) => value === 'true');
  const schema = z.union([z.boolean(), written], { error: `expected ${expects}` });
  return schema.register(keyNotes, { expects, ...notes });
}

export function choice<const T extends readonly [string, ...string[]]>(choices: T, notes: Omit<LeafNotes, 'expects'>) {
  const expects = choices.length === 1 ? choices[0] : `one of ${choices.join(', ')}`;
  return z.enum(choices, { error: `expected ${expects}` }).register(keyNotes, { expects, ...notes });
}

/** A duration; becomes milliseconds. */
export function duration({
  expects = 'a duration such as 500ms, 30s, 15m, 12h or 1d',
  longestMs = LONGEST_TIMER_MS,
  ...notes
}: LeafNotes & { longestMs?: number }) {
  return measured({ expects, ...notes }, (value) => parseDuration(value, longestMs));
}

/** A list of at least one. */
export function list<T extends z.ZodType>(notes: KeyNotes, item: T) {
  const error = `expected ${notes.expects}`;
  return z.array(item, { error }).min(1, { error }).register(keyNotes, notes);
}

/** A size; becomes bytes. */
export function size(notes: Omit<LeafNotes, 'expects'>) {
  return measured({ expects: 'a size such as 500kB, 20MB, 3GB or 64MiB', ...notes }, parseSize);
}

/** Slower, a connection would look dead to the server at its other end. */
const LOWEST_BYTES_PER_SECOND = 10_000;

/** Bytes per second; 0: no limit. */
export function bandwidth(notes: Omit<LeafNotes, 'expects'>) {
  const expects = 'a size per second such as 500kB, 10MB or 1MiB, at least 10kB, or 0B for no limit';
  return measured({ expects, ...notes }, (value) => {
    const bytes = parseSize(value);
    return bytes !== undefined && bytes > 0 && bytes < LOWEST_BYTES_PER_SECOND ? undefined : bytes;
  });
}

function measured({ expects, ...notes }: KeyNotes, parse: (value: string) => number | undefined) {
  const schema = z.string({ error: `expected ${expects}` }).transform((value, context) => {
    const amount = parse(value);
    if (amount === undefined) context.addIssue({ code: 'custom', message: `expected ${expects}` });
    return amount ?? z.NEVER;
  });
  return schema.register(keyNotes, { expects, ...notes });
}

/** Text that `parse` reads without a BackupError; that one's message is told where the value may be quoted. */
export function parsed({ expects = 'text', ...notes }: LeafNotes, parse: (value: string) => unknown) {
  const schema = z.string({ error: `expected ${expects}` }).superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      const params = { why: error.message, hint: error.hint };
      context.addIssue({ code: 'custom', message: `expected ${expects}`, params });
    }
  });
  return schema.register(keyNotes, { expects, ...notes });
}
