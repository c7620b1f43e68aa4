import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** What the script of a capture wrote about itself, read from its file of messages. */
export interface HelperMessages {
  /** Program to version, as they told it inside the helper. */
  programs: Record<string, string>;
  /** Directories in the volume that look like those of a running PostgreSQL server. */
  liveDatabases: string[];
  /** How tar and the compressor ended; undefined where the script did not get to its end. */
  exitCodes: { tar: number; compressor: number } | undefined;
  /** What tar and the compressor said, in its order: the first lines, the last ones, and how many there were. */
  firstLines: string[];
  lastLines: string[];
  lineCount: number;
}

const MAX_FIRST_LINES = 100;
const MAX_LAST_LINES = 10;
/** A note of the script. No file name can look like one: tar writes a newline in a name as `\n`. */
const NOTE = /^backup-helper (version|live-database|ended) (.*)$/;
/** Says nothing that the exit code does not say. */
const NOISE = /^tar: (Exiting with failure status due to previous errors|Error is not recoverable: exiting now)$/;

/**
 * Makes the file that the helper writes its messages to, beside the part and named as one, so that whoever sweeps what
 * dead attempts left takes it along.
 */
export async function createMessagesFile(partPath: string): Promise<string> {
  const path = partPath.replace(/(\.part)?$/, '.messages.part');
  const file = await open(path, 'wx', 0o660);
  await file.chmod(0o660); // whatever the umask is
  await file.close();
  return path;
}

export async function readMessages(path: string): Promise<HelperMessages> {
  const told = { firstLines: [], lastLines: [], lineCount: 0 };
  const messages: HelperMessages = { programs: {}, liveDatabases: [], exitCodes: undefined, ...told };
  for await (const line of createInterface({ input: createReadStream(path, 'latin1'), crlfDelay: Infinity })) {
    const [, kind, text = ''] = NOTE.exec(line) ?? [];
    if (kind !== undefined) takeNote(messages, kind, text);
    else if (line !== '' && !NOISE.test(line)) takeLine(messages, line);
  }
  return messages;
}

function takeNote(messages: HelperMessages, kind: string, text: string): void {
  if (kind === 'version') {
    const [program = '', ...told] = text.split(' ');
    messages.programs[program] = /\d+(\.\d+)+/.exec(told.join(' '))?.[0] ?? told.join(' ');
  } else if (kind === 'live-database') {
    messages.liveDatabases.push(readable(text));
  } else {
    const [tar = NaN, compressor = NaN] = text.split(' ').map(Number);
    messages.exitCodes = { tar, compressor };
  }
}

function takeLine(messages: HelperMessages, line: string): void {
  const { firstLines, lastLines } = messages;
  messages.lineCount += 1;
  if (firstLines.length < MAX_FIRST_LINES) firstLines.push(readable(line));
  lastLines.push(readable(line));
  if (lastLines.length > MAX_LAST_LINES) lastLines.shift();
}

/** tar writes the bytes of a name that are not ASCII as `\303\251`; this gives them back where they are UTF-8. */
export function readable(text: string): string {
  const bytes = text.replace(/\\\\|\\([2-3][0-7]{2})/g, (escaped, octal: string | undefined) =>
    octal === undefined ? escaped : String.fromCharCode(parseInt(octal, 8)),
  );
  const decoded = Buffer.from(bytes, 'latin1').toString('utf8');
  return decoded.includes('\uFFFD') ? text : decoded;
}
