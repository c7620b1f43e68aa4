import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { inject } from 'vitest';
import './provided.js';

/** A `pg_dump` that tells the version of the real one, and does with its output what a bash script says. */
export interface BehavingPgDump {
  /** For a worker that is to find it first. */
  PATH: string;
  /** Scripts by database, in which `$REAL "$@"` is the real one; without a script it is that one. */
  behave(scripts: Record<string, string>): Promise<void>;
}

export async function behavingPgDump(within: string): Promise<BehavingPgDump> {
  const directory = join(within, 'programs');
  await mkdir(directory);
  const path = join(directory, 'pg_dump');
  return {
    PATH: [directory, process.env['PATH']].join(delimiter),
    async behave(scripts) {
      const cases = Object.entries(scripts).map(([database, script]) => `${database}) ${script} ;;`);
      const lines = [
        '#!/bin/bash',
        `REAL=${join(inject('postgres').bin, 'pg_dump')}`,
        '[[ $1 == --version ]] && exec "$REAL" --version',
        ...['case "$PGDATABASE" in', ...cases, 'esac'],
        'exec "$REAL" "$@"',
      ];
      await writeFile(path, lines.join('\n') + '\n');
      await chmod(path, 0o755);
    },
  };
}
