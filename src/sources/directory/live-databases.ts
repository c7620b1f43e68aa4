import { access, readdir } from 'node:fs/promises';

/** As deep as the helper of a volume looks: `18/docker/PG_VERSION`. */
const MAX_DEPTH = 2;

/** The directories in `root` that look like those of a running PostgreSQL server, as `./18/docker/`. */
export async function findLiveDatabases(root: string): Promise<string[]> {
  return look(Buffer.from(`${root}/`), Buffer.from('./'), MAX_DEPTH);
}

/** Names are bytes: not each is text. What may not be looked into, tar will tell. */
async function look(directory: Buffer, shown: Buffer, depth: number): Promise<string[]> {
  const files = ['PG_VERSION', 'postmaster.pid'].map((name) => Buffer.concat([directory, Buffer.from(name)]));
  const isLive = await Promise.all(files.map((file) => access(file))).then(
    () => true,
    () => false,
  );
  const found = isLive ? [shown.toString('utf8')] : [];
  if (depth === 0) return found;
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const name = Buffer.concat([entry.name, Buffer.from('/')]);
    found.push(...(await look(Buffer.concat([directory, name]), Buffer.concat([shown, name]), depth - 1)));
  }
  return found;
}
