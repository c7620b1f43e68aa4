import type { BenchCase } from '../bench-case.js';
import { businessDatabase } from '../data/database.js';
import { databaseConfig, install, type Installation } from '../installation.js';
import { alternate, shellSeconds } from '../measure.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage.js';

const TARGETS = { gzip: 'business-gzip', zstd: 'business-zstd' };

/** One database to its local artifact, and on to S3, against `pg_dump` by hand. */
export const database: BenchCase = {
  name: 'database',
  async measure(stage) {
    const { name } = await businessDatabase(stage);
    const config = databaseConfig(stage, name);
    const databases = [
      { name: TARGETS.gzip, compression: 'gzip', compression_level: 6, config },
      { name: TARGETS.zstd, compression: 'zstd', compression_level: 3, config },
    ];
    const local = await install(stage, { databases });
    const withCopies = await install(stage, { databases, withS3: true });
    const dump = dumpCommand(stage, name);
    const copied: number[] = [];
    const samples = await alternate(stage.rounds, {
      nothing: () => shellSeconds(`${dump.line} > /dev/null`, dump.env),
      zstd: () => captureSeconds(local, TARGETS.zstd),
      async zstdWithCopy() {
        const { steps } = await withCopies.run([TARGETS.zstd]);
        const { captureTarget, copyArtifact } = steps.get(TARGETS.zstd) ?? {};
        copied.push((copyArtifact?.doneAt ?? NaN) - (captureTarget?.doneAt ?? NaN));
        return copyArtifact?.doneAt ?? NaN;
      },
      gzipByHand: () => shellSeconds(`${dump.line} | gzip -6 > by-hand.gz`, dump.env, stage.directory),
      gzip: () => captureSeconds(local, TARGETS.gzip),
    });
    await Promise.all([local.close(), withCopies.close()]);
    const nothing = { name: 'pg_dump > /dev/null', samples: samples.nothing };
    return [
      {
        what: 'database, gzip level 6, committed and proved',
        samples: samples.gzip,
        unit: 's',
        reference: { name: 'pg_dump | gzip -6', samples: samples.gzipByHand },
        goal: { of: 'ratio', is: 'at most', value: 0.45 },
      },
      {
        what: 'database, zstd level 3, committed and proved',
        samples: samples.zstd,
        unit: 's',
        reference: nothing,
        goal: { of: 'ratio', is: 'at most', value: 1.3 },
      },
      {
        what: 'database, zstd level 3, its copy in S3 confirmed',
        samples: samples.zstdWithCopy,
        unit: 's',
        reference: nothing,
        goal: { of: 'ratio', is: 'at most', value: 1.5 },
      },
    ] satisfies Row[];
  },
};

async function captureSeconds(installation: Installation, target: string): Promise<number> {
  const { steps } = await installation.run([target]);
  return steps.get(target)?.captureTarget?.doneAt ?? NaN;
}

export function dumpCommand({ postgres }: Stage, database: string): { line: string; env: Record<string, string> } {
  const { bin, host, port, user, password } = postgres;
  const env = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database };
  return { line: `${bin}/pg_dump --format=plain --no-password`, env };
}
