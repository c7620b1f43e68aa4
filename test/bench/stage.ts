import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { startS3, type S3Server } from '../support/s3-server.js';
import { removeDirectory } from '../support/scratch-directory.js';
import { startTemporal, type TemporalServer } from '../support/temporal-server.js';

/** What all cases share: servers of their own on this machine, sizes, and what is undone at the end. */
export interface Stage {
  /** On the disk that is measured; gone at the end. */
  directory: string;
  /** Everything small and once, to see that it works: the times say nothing. */
  isSmoke: boolean;
  /** How often each thing is measured. */
  rounds: number;
  temporal: TemporalServer;
  s3: S3Server;
  postgres: PostgresServer;
  /** Is called at the end, the last one first, whatever happens. */
  atEnd(undo: () => Promise<unknown>): void;
  /** Tells people what goes on. */
  say(line: string): void;
}

export interface StageOptions {
  isSmoke: boolean;
  rounds: number;
}

/** As a server of some gigabytes of memory has them; its data need not survive the machine. */
const POSTGRES_SETTINGS = {
  ...{ shared_buffers: '512MB', max_wal_size: '8GB', wal_level: 'minimal', max_wal_senders: '0' },
  ...{ max_connections: '200', autovacuum: 'off' },
};

/** Starts the servers, runs `work`, and undoes everything. */
export async function onStage<T>({ isSmoke, rounds }: StageOptions, work: (stage: Stage) => Promise<T>): Promise<T> {
  const undos: (() => Promise<unknown>)[] = [];
  const atEnd = (undo: () => Promise<unknown>) => void undos.push(undo);
  const ended = async <Server extends { stop(): Promise<void> }>(start: Promise<Server>) => {
    const server = await start;
    atEnd(() => server.stop());
    return server;
  };
  try {
    const directory = await mkdtemp(join(tmpdir(), 'backup-bench-'));
    atEnd(() => removeDirectory(directory));
    await chmod(directory, 0o711); // where this is root, PostgreSQL runs as another user
    const starts = [
      ended(startTemporal()),
      ended(startS3()),
      ended(startPostgres({ settings: POSTGRES_SETTINGS })),
    ] as const;
    await Promise.allSettled(starts);
    const [temporal, s3, postgres] = await Promise.all(starts);
    const say = (line: string) => void process.stderr.write(`${line}\n`);
    return await work({ ...{ directory, isSmoke, rounds, temporal, s3, postgres }, atEnd, say });
  } finally {
    for (const undo of undos.reverse())
      await undo().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  }
}

/** What `make` makes on a stage is made once, for all cases that ask for it. */
export function onceOnStage<T>(make: (stage: Stage) => Promise<T>): (stage: Stage) => Promise<T> {
  const made = new WeakMap<Stage, Promise<T>>();
  return (stage) => {
    const known = made.get(stage) ?? make(stage);
    made.set(stage, known);
    return known;
  };
}
