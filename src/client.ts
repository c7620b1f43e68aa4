#!/usr/bin/env node
import { runCommandLine } from './commands/command-line.js';

// Whoever reads (`backupctl list | head`) has seen enough: what is begun goes on, and nobody is told of it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2));
