#!/usr/bin/env -S node --
import { runCommandLine } from './commands/command-line.js';

const streams = [process.stdout, process.stderr];
// Whoever reads (`backupctl list | head`) has seen enough: what is begun goes on, and nobody is told of it.
for (const stream of streams) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const exitCode = await runCommandLine(process.argv.slice(2));
for (const stream of streams) await new Promise<void>((resolve) => stream.write('', () => resolve()));
// All is told: a server or a file system that hangs must not keep us.
process.exit(exitCode);
