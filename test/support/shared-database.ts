import { randomBytes } from 'node:crypto';
import { psql } from './shared-postgres.js';

export interface SharedDatabase {
  name: string;
  drop: () => Promise<void>;
}

/** A database of its own on the server of the test run, with a table `rings` of `rows` rows. */
export async function createSharedDatabase(rows = 1_000): Promise<SharedDatabase> {
  const name = `db_${randomBytes(4).toString('hex')}`;
  await psql('postgres', `CREATE DATABASE ${name}`);
  await psql(name, `CREATE TABLE rings AS SELECT n AS id, md5(n::text) AS name FROM generate_series(1, ${rows}) n`);
  return { name, drop: async () => void (await psql('postgres', `DROP DATABASE ${name} WITH (FORCE)`)) };
}
