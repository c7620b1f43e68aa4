import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchCase } from '../bench-case.js';
import { filesVolume, type BenchVolume } from '../data/volume.js';
import { install, type Installation } from '../installation.js';
import { alternate, isInstalled, shell, shellSeconds } from '../measure.js';
import type { Reference, Row } from '../row.js';
import type { Stage } from '../stage.js';

/** The first of these that the engine has makes the archive by hand; the last one is the service's own, there after a capture. */
const TAR_IMAGES = ['debian:trixie-slim', 'debian', 'postgres:17', 'backup-orchestrator/helper'];
const OFFEN_IMAGE = 'offen/docker-volume-backup';
const TARGET = 'files';

/** A volume of many files to its local artifact and on to S3, against tools that people use for it. */
export const volume: BenchCase = {
  name: 'volume',
  async measure(stage) {
    const made = await filesVolume(stage);
    const service = await installFor(stage, made, { compression: 'zstd', compression_level: 3 });
    const offenImage = await imageOf(OFFEN_IMAGE);
    const hasRestic = await isInstalled('restic');
    const captured: number[] = [];
    const samples = await alternate(stage.rounds, {
      async copied() {
        const { captureTarget, copyArtifact } = (await service.run()).steps.get(TARGET) ?? {};
        captured.push(captureTarget?.doneAt ?? NaN);
        return copyArtifact?.doneAt ?? NaN;
      },
      restic: () => (hasRestic ? firstResticBackup(stage, made) : Promise.resolve(NaN)),
      offen: () => (offenImage === undefined ? Promise.resolve(NaN) : offenBackup(stage, made, offenImage)),
    });
    await service.close();
    const restic: Reference = {
      name: 'restic’s first backup to S3',
      samples: hasRestic ? samples.restic : 'missing',
    };
    const offen: Reference = {
      name: 'docker-volume-backup, zst, local and S3',
      samples: offenImage === undefined ? 'missing' : samples.offen,
    };
    const goal = { of: 'ratio', is: 'at most', value: 0.6 } as const;
    const copied = {
      what: 'volume, zstd level 3, its copy in S3 confirmed',
      samples: samples.copied,
      unit: 's',
    } as const;
    return [
      { what: 'volume, zstd level 3, committed and proved', samples: captured, unit: 's', reference: restic, goal },
      { ...copied, reference: restic, goal, note: '`restic init` is not counted' },
      { ...copied, reference: offen, goal },
    ] satisfies Row[];
  },
};

/** The same volume by gzip, against tar in a container. */
export const volumeGzip: BenchCase = {
  name: 'volume-gzip',
  async measure(stage) {
    const made = await filesVolume(stage);
    const service = await installFor(stage, made, { compression: 'gzip', compression_level: 6 });
    const image = await firstImage(TAR_IMAGES);
    const samples = await alternate(stage.rounds, {
      gzip: async () => (await service.run()).steps.get(TARGET)?.captureTarget?.doneAt ?? NaN,
      byHand: () => tarByHand(stage, made, image),
    });
    await service.close();
    return [
      {
        what: 'volume, gzip level 6, committed and proved',
        samples: samples.gzip,
        unit: 's',
        reference: { name: 'docker run … tar czf', samples: samples.byHand },
        goal: { of: 'ratio', is: 'at most', value: 0.4 },
        note: `by hand: GNU tar and gzip of the image ${image}`,
      },
    ] satisfies Row[];
  },
};

/** After its first run the files are in memory for all that follow, and so is the helper's image. */
async function installFor(stage: Stage, { name }: BenchVolume, how: object): Promise<Installation> {
  const service = await install(stage, { volumes: [{ name: TARGET, volume_name: name, ...how }], withS3: true });
  await service.run();
  return service;
}

/** Of a new repository in a bucket of its own, which `restic init` makes before. */
async function firstResticBackup(stage: Stage, { directory }: BenchVolume): Promise<number> {
  const { s3 } = stage;
  const bucket = `restic-${randomBytes(4).toString('hex')}`;
  await s3.createBucket(bucket);
  const env = {
    ...keysOf(stage),
    RESTIC_REPOSITORY: `s3:${s3.endpoint}/${bucket}`,
    RESTIC_PASSWORD: 'a password',
    RESTIC_CACHE_DIR: join(stage.directory, 'restic-cache'),
  };
  await shell('restic init --quiet', env);
  return shellSeconds('restic backup --quiet .', env, directory);
}

async function offenBackup(stage: Stage, { name }: BenchVolume, image: string): Promise<number> {
  const { s3 } = stage;
  const bucket = `offen-${randomBytes(4).toString('hex')}`;
  await s3.createBucket(bucket);
  const { protocol, host } = new URL(s3.endpoint);
  const env = {
    ...keysOf(stage),
    AWS_S3_BUCKET_NAME: bucket,
    AWS_ENDPOINT: host,
    AWS_ENDPOINT_PROTO: protocol.replace(':', ''),
    BACKUP_COMPRESSION: 'zst',
    BACKUP_FILENAME: 'files.tar.zst',
  };
  const options = Object.keys(env).map((key) => `--env ${key}`);
  const archive = await emptyDirectory(stage, bucket);
  const mounts = `--volume ${name}:/backup/files:ro --volume "${archive}":/archive`;
  const run = `docker run --rm --network host ${mounts} ${options.join(' ')} --entrypoint backup ${image}`;
  return shellSeconds(run, env);
}

/** What `tar czf` does, by bash: tar itself asks for a `sh`, which the service's own image lacks. */
async function tarByHand(stage: Stage, { name }: BenchVolume, image: string): Promise<number> {
  const to = await emptyDirectory(stage, 'by-hand');
  const mounts = `--volume ${name}:/volume:ro --volume "${to}":/to`;
  const line = 'set -o pipefail; tar -cf - -C /volume . | gzip >/to/files.tar.gz';
  return shellSeconds(`docker run --rm --entrypoint bash ${mounts} ${image} -c '${line}'`);
}

async function emptyDirectory({ directory }: Stage, name: string): Promise<string> {
  const made = join(directory, name);
  await mkdir(made, { recursive: true });
  return made;
}

function keysOf({ s3 }: Stage): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_DEFAULT_REGION: s3.region,
  };
}

async function firstImage(names: readonly string[]): Promise<string> {
  for (const name of names) {
    const image = await imageOf(name);
    if (image !== undefined) return image;
  }
  throw new Error(`the engine has none of the images ${names.join(', ')}`);
}

/** With its tag; the newest where the name has none. */
async function imageOf(name: string): Promise<string | undefined> {
  const [newest] = (await shell(`docker image ls --format '{{.Repository}}:{{.Tag}}' ${name}`)).split('\n');
  return newest === '' ? undefined : newest;
}
