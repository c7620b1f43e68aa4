import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { loadConfig, type Config } from '../../src/config/config.js';
import type { Environment } from '../../src/config/environment.js';
import { ConfigError } from '../../src/config/problem.js';

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A new directory for files of one test, gone after those of its file. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));
  made.push(directory);
  return directory;
}

/** Writes `text` as a `backups.yml` and loads it. */
export async function loadText(text: string, env: Environment = {}): Promise<Config> {
  const file = join(testDirectory(), 'backups.yml');
  writeFileSync(file, text);
  return loadConfig({ file, env });
}

/** `line:column: message | hint` of everything that loading `text` complains about; fails where it does not. */
export async function problemsOf(text: string, env: Environment = {}): Promise<string[]> {
  const error = await loadText(text, env).then(
    () => new Error('it was loaded without complaint'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw error;
  return error.problems.map(
    ({ line, column, message, hint }) => `${String(line)}:${String(column)}: ${message} | ${hint}`,
  );
}

/** A database entry that lacks nothing, with `config` merged over the usual one; JSON is YAML. */
export function databaseEntry(name: string, config: object = {}, keys: object = {}): object {
  return { name, ...keys, config: { host: 'h', user: 'u', database: 'd', ...config } };
}

export interface FileParts {
  databases?: readonly unknown[];
  volumes?: readonly unknown[];
  backup?: object;
}

/** A file with these entries, in JSON, which is YAML. */
export function fileOf({ databases = [], volumes = [], backup = {} }: FileParts): string {
  return JSON.stringify({
    backup_targets: databases,
    volume_backups: volumes,
    backup_config: { backup_dir: '/backups', ...backup },
  });
}
