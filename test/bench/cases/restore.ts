import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchCase } from '../bench-case.js';
import { businessDatabase } from '../data/database.js';
import { databaseConfig, install, type Installation } from '../installation.js';
import { alternate, seconds, shellSeconds } from '../measure.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage.js';

const TARGETS = { gzip: 'restore-gzip', zstd: 'restore-zstd', custom: 'restore-custom' };
const JOBS = 2;

/** An artifact to a new database by `backupctl restore`, its start included, against the same artifact by hand. */
export const restore: BenchCase = {
  name: 'restore',
  async measure(stage) {
    const { name } = await businessDatabase(stage);
    const config = databaseConfig(stage, name);
    const databases = [
      { name: TARGETS.gzip, compression: 'gzip', compression_level: 6, config },
      { name: TARGETS.zstd, compression: 'zstd', compression_level: 3, config },
      { name: TARGETS.custom, dump_format: 'custom', config },
    ];
    const service = await install(stage, { databases });
    const { report } = await service.run();
    const gzipFile = join(service.backupDir, report.run, await fileOf(service, report.run, '.sql.gz'));
    const samples = await alternate(stage.rounds, {
      byHand: () => restoreByHand(stage, gzipFile),
      gzip: () => restoreByService(stage, service, [TARGETS.gzip]),
      zstd: () => restoreByService(stage, service, [TARGETS.zstd]),
      custom: () => restoreByService(stage, service, [TARGETS.custom, '--jobs', String(JOBS)]),
    });
    await service.close();
    const reference = { name: 'gunzip | psql', samples: samples.byHand };
    const note = 'the start of the command included';
    const common = { unit: 's', reference, note } as const;
    return [
      {
        ...{ what: 'restore of a database, gzip', samples: samples.gzip },
        ...{ ...common, goal: { of: 'ratio', is: 'at most', value: 1.1 } },
      },
      {
        ...{ what: 'restore of a database, zstd', samples: samples.zstd },
        ...{ ...common, goal: { of: 'ratio', is: 'at most', value: 1 } },
      },
      { what: `restore of a database, custom format, ${String(JOBS)} jobs`, samples: samples.custom, ...common },
    ] satisfies Row[];
  },
};

async function fileOf({ backupDir }: Installation, run: string, ending: string): Promise<string> {
  const name = (await readdir(join(backupDir, run))).find((each) => each.endsWith(ending));
  if (name === undefined) throw new Error(`run ${run} left no ${ending}`);
  return name;
}

const RESTORED = 'restored';

async function restoreByHand(stage: Stage, file: string): Promise<number> {
  const { postgres } = stage;
  const { bin, host, port, user, password } = postgres;
  const env = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: RESTORED,
    FILE: file,
  };
  await postgres.psql('postgres', `CREATE DATABASE "${RESTORED}" TEMPLATE template0`);
  return dropped(stage, () =>
    shellSeconds(`gunzip -c "$FILE" | ${bin}/psql -X -q -w -v ON_ERROR_STOP=1 > /dev/null`, env),
  );
}

async function restoreByService(stage: Stage, service: Installation, args: readonly string[]): Promise<number> {
  return dropped(stage, () =>
    seconds(async () => {
      const { code, stderr } = await service.backupctl(['restore', ...args, '--into', RESTORED]);
      if (code !== 0) throw new Error(`the restore ended with ${String(code)}: ${stderr}`);
    }),
  );
}

/** The database goes before the next is made, uncounted; a checkpoint keeps what one wrote from the time of the next. */
async function dropped(stage: Stage, work: () => Promise<number>): Promise<number> {
  const { psql } = stage.postgres;
  await psql('postgres', 'CHECKPOINT');
  try {
    return await work();
  } finally {
    await psql('postgres', `DROP DATABASE IF EXISTS "${RESTORED}"`);
  }
}
