import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { prepareStackFiles, type StackFiles } from './compose-files.js';
import { removeDeadStacks, removeStack, stackName } from './compose-removal.js';
import { ComposeStack } from './compose-stack.js';

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackFiles;
  }
}

/** Builds the image and brings the profile `demo` up, once for all files of the project `compose`; takes it down again. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeDeadStacks();
  const name = stackName(randomBytes(3).toString('hex'));
  const directory = join(tmpdir(), name);
  try {
    await mkdir(directory, { mode: 0o700 });
    const files = await prepareStackFiles(directory);
    const stack = new ComposeStack(files);
    await timed('built the image', () => stack.compose('build', 'backup-orchestrator'));
    await timed('brought the stack up', () => stack.up());
    project.provide('stack', files);
  } catch (error) {
    await removeStack(name);
    throw error;
  }
  return () => removeStack(name);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<void> {
  const start = Date.now();
  await work();
  process.stdout.write(`compose: ${what} in ${String(Math.round((Date.now() - start) / 1000))} s\n`);
}
