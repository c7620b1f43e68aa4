import type { BenchCase } from '../bench-case.js';
import { createBusinessDatabase } from '../data/database.js';
import { databaseConfig, install, type FinishedRun } from '../installation.js';
import { alternate } from '../measure.js';
import type { Row } from '../row.js';

const DATABASES = 8;
const DUMP_MEGABYTES = { full: 80, smoke: 2 };
const NAMES = Array.from({ length: DATABASES }, (_, index) => `of-eight-${String(index + 1)}`);

/** Eight databases in one run, each with its copy in S3, against what their captures take one after the other. */
export const eightDatabases: BenchCase = {
  name: 'eight-databases',
  async measure(stage) {
    const megabytes = DUMP_MEGABYTES[stage.isSmoke ? 'smoke' : 'full'];
    for (const name of NAMES) await createBusinessDatabase(stage, name, megabytes);
    const zstd = { compression: 'zstd', compression_level: 3 };
    const databases = NAMES.map((name) => ({ name, ...zstd, config: databaseConfig(stage, name) }));
    const together = await install(stage, { databases, withS3: true });
    const alone = await install(stage, { databases, settings: { max_parallel: 1 } });
    const samples = await alternate(stage.rounds, {
      together: async () => lastCopySeconds(await together.run()),
      alone: async () => capturesSeconds(await alone.run()),
    });
    await Promise.all([together.close(), alone.close()]);
    return [
      {
        what: 'eight databases at once, zstd level 3, the last copy in S3 confirmed',
        samples: samples.together,
        unit: 's',
        reference: { name: 'their captures one after the other, summed up', samples: samples.alone },
        goal: { of: 'ratio', is: 'at most', value: 1.15 },
        note: `dumps of ${String(megabytes)} MB, max_parallel 4; captures of the service, without the start of the run and without copies`,
      },
    ] satisfies Row[];
  },
};

/** From the start of the run. */
function lastCopySeconds({ steps }: FinishedRun): number {
  return Math.max(...[...steps.values()].map(({ copyArtifact }) => copyArtifact?.doneAt ?? NaN));
}

/** Each from its own start to its proved artifact. */
function capturesSeconds({ steps }: FinishedRun): number {
  const each = [...steps.values()].map(({ captureTarget }) =>
    captureTarget === undefined ? NaN : captureTarget.doneAt - captureTarget.startedAt,
  );
  return each.reduce((sum, one) => sum + one, 0);
}
