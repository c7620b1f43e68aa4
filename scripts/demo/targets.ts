import { readFile } from 'node:fs/promises';
import type { DestinationKind, TargetKind } from '../../src/domain/target.js';
import { createVolume } from '../../test/support/docker-volume.js';
import type { PostgresServer } from '../../test/support/postgres-server.js';
import type { Portrait } from './comparison.js';
import { describeDatabase, readDatabase } from './database-portrait.js';
import { describeVolume, readVolume } from './volume-portrait.js';

/** Something that the demo backs up, with what it looked like before. */
export interface DemoTarget {
  name: string;
  kind: TargetKind;
  /** The database or volume of that target. */
  origin: string;
  /** The new database or volume that it is restored to, and where the artifact is taken from. */
  into: string;
  from: DestinationKind;
  /** Of the origin, read before the backup. */
  portrait: Portrait;
  /** What there is to compare, for people. */
  description: string;
  /** The portrait of any database or volume of this kind. */
  read: (name: string) => Promise<Portrait>;
}

/** Makes a database and fills it from the SQL file of its name. */
export async function makeDatabase(
  { psql }: PostgresServer,
  name: 'shop' | 'helpdesk',
  from: DestinationKind,
): Promise<DemoTarget> {
  await psql('postgres', `CREATE DATABASE ${name}`);
  await psql(name, await content(`${name}.sql`));
  const read = (database: string) => readDatabase(psql, database);
  const portrait = await read(name);
  const description = describeDatabase(portrait);
  return { name, kind: 'database', origin: name, into: `${name}_restored`, from, portrait, description, read };
}

export interface VolumeNames {
  origin: string;
  into: string;
}

export async function makeVolume({ origin, into }: VolumeNames): Promise<DemoTarget> {
  await createVolume(origin, await content('uploads.sh'));
  const portrait = await readVolume(origin);
  const description = describeVolume(portrait);
  return { name: 'uploads', kind: 'volume', origin, into, from: 'local', portrait, description, read: readVolume };
}

function content(file: string): Promise<string> {
  return readFile(new URL(file, import.meta.url), 'utf8');
}
