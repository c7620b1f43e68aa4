import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { noTarLines, readable, takeTarLine, type TarLines } from '../tar/messages.js';

/** What the script of a capture wrote about itself, read from its file of messages. */
export interface HelperMessages extends TarLines {
  /** Program to version, as they told it inside the helper. */
  programs: Record<string, string>;
  /** Directories in the volume that look like those of a running PostgreSQL server. */
  liveDatabases: string[];
  /** How tar and the compressor ended; undefined where the script did not get to its end. */
  exitCodes: { tar: number; compressor: number } | undefined;
}

/** A note of the script. No file name can look like one: tar writes a newline in a name as `\n`. */
const NOTE = /^backup-helper (version|live-database|ended) (.*)$/;

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
  const messages: HelperMessages = { programs: {}, liveDatabases: [], exitCodes: undefined, ...noTarLines() };
  for await (const line of createInterface({ input: createReadStream(path, 'latin1'), crlfDelay: Infinity })) {
    const [, kind, text = ''] = NOTE.exec(line) ?? [];
    if (kind !== undefined) takeNote(messages, kind, text);
    else takeTarLine(messages, line);
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
