import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import type { Verification } from '../../src/domain/verification.js';
import { databaseItem, deploy, type Deployment } from '../support/deployment.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { createBucket } from '../support/s3-server.js';
import { waitFor } from '../support/wait-for.js';

const bucket = `verify-${randomBytes(4).toString('hex')}`;
let database: SharedDatabase;
let deployment: Deployment;
/** Oldest first. */
const runs: string[] = [];

beforeAll(async () => {
  await createBucket(inject('s3').endpoint, bucket);
  database = await createSharedDatabase();
  deployment = await deploy({ databases: databaseItem('mordor', database.name), schedules: true, s3: { bucket } });
  await deployment.startWorker();
  for (let night = 0; night < 3; night += 1) await backUp();
});
afterAll(async () => {
  await deployment.close();
  await database.drop();
});

async function backUp(): Promise<string> {
  const { json, code } = await deployment.backupctl(['run', '--json']);
  expect(code).toBe(0);
  const { run } = json as RunReport;
  runs.push(run);
  return run;
}

const fileOf = (run: string) => join(deployment.backupDir, run, `mordor_${run}.sql.gz`);

/** Flips one bit of an artifact, by default in its middle; returns what puts it back. */
async function rot(run: string, position?: number): Promise<() => Promise<void>> {
  const bytes = await readFile(fileOf(run));
  const rotten = Buffer.from(bytes);
  const at = position ?? rotten.length >> 1;
  rotten.writeUInt8(rotten.readUInt8(at) ^ 1, at);
  await writeFile(fileOf(run), rotten);
  return () => writeFile(fileOf(run), bytes);
}

interface Row {
  destination: string;
  location: string;
  outcome: string;
  reason?: string;
}

describe('backupctl verify', () => {
  it('reads every artifact of every destination back, and list shows when', async () => {
    const { json, code } = await deployment.backupctl(['verify', '--json']);
    expect(code).toBe(0);
    const rows = json as Row[];
    expect(rows.map(({ destination, outcome }) => `${destination} ${outcome}`).sort()).toEqual(
      ['local', 's3'].flatMap((destination) => runs.map(() => `${destination} verified`)),
    );
    const listed = (await deployment.backupctl(['list', '--json'])).json as { verified: string | null }[];
    expect(listed).toHaveLength(6);
    for (const { verified } of listed) expect(Date.parse(verified ?? '')).toBeGreaterThan(Date.now() - 600_000);
  });

  it('takes a target, a run and a destination, and leaves nothing that it fetched', async () => {
    const [first = ''] = runs;
    const { stdout, code } = await deployment.backupctl(['verify', 'MORDOR', '--run', first, '--from', 's3']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^verified s3://${bucket}/${first}/mordor_${first}.sql.gz, .* in .*\n$`));
    expect((await deployment.backupctl(['doctor', '--json'])).stdout).not.toContain('.restore-');
  });

  it('drills one copy of the newest artifact, or of that of a run', async () => {
    const drilled = async (...args: string[]) => {
      const { json, code } = await deployment.backupctl(['verify', '--drill', '--json', ...args]);
      return { code, rows: (json as Row[]).map(({ location, outcome }) => ({ location, outcome })) };
    };
    const [first = '', newest = ''] = [runs[0], runs.at(-1)];
    expect(await drilled()).toEqual({ code: 0, rows: [{ location: fileOf(newest), outcome: 'verified' }] });
    expect(await drilled('--run', first)).toEqual({
      code: 0,
      rows: [{ location: fileOf(first), outcome: 'verified' }],
    });
  });

  it('ends with 5 where a bit has flipped, says where, and that one is no backup any more until it verifies', async () => {
    const newest = runs.at(-1) ?? '';
    const restoreByte = await rot(newest);
    const { json, code } = await deployment.backupctl(['verify', '--from', 'local', '--json']);
    expect(code).toBe(5);
    const failed = (json as Row[]).filter(({ outcome }) => outcome === 'failed');
    expect(failed).toEqual([
      expect.objectContaining({ location: fileOf(newest), reason: expect.any(String) as string }),
    ]);
    const listed = await deployment.backupctl(['list', 'mordor', '--from', 'local', '--json']);
    expect((listed.json as { run: string }[]).map(({ run }) => run)).not.toContain(newest);
    expect(listed.stderr).toContain('it failed its verification at ');
    const restored = await deployment.backupctl(['restore', 'mordor', '--from', 'local', '--into', 'never_made']);
    expect(restored.code).toBe(1);
    expect(restored.stderr).toMatch(/it failed its verification[^]*HINT: /);
    await restoreByte();
    expect((await deployment.backupctl(['verify', '--run', newest])).code).toBe(0);
    expect((await deployment.backupctl(['list', 'mordor', '--from', 'local'])).stdout).toContain(newest);
  });

  it('finds a bit that no decompressor looks at, by the hash', async () => {
    const [first = ''] = runs;
    const gzipTime = 4; // of the header: the file still reads to the same dump
    const restoreByte = await rot(first, gzipTime);
    const { stdout, code } = await deployment.backupctl(['verify', '--run', first, '--from', 'local']);
    expect({ code, stdout }).toEqual({ code: 5, stdout: expect.stringContaining('its sha256 is ') as string });
    await restoreByte();
    expect((await deployment.backupctl(['verify', '--run', first, '--from', 'local'])).code).toBe(0);
  });

  it('fails what is missing, and a manifest that cannot be read', async () => {
    const newest = runs.at(-1) ?? '';
    const [bytes, manifest] = await Promise.all([
      readFile(fileOf(newest)),
      readFile(`${fileOf(newest)}.manifest.json`),
    ]);
    await rm(fileOf(newest));
    expect((await deployment.backupctl(['verify', '--run', newest, '--from', 'local'])).code).toBe(5);
    await writeFile(fileOf(newest), bytes);
    await writeFile(`${fileOf(newest)}.manifest.json`, manifest.subarray(1));
    const { stdout, code } = await deployment.backupctl(['verify', '--run', newest, '--from', 'local']);
    expect({ code, stdout }).toEqual({
      code: 5,
      stdout: expect.stringContaining('cannot read the manifest') as string,
    });
    await writeFile(`${fileOf(newest)}.manifest.json`, manifest);
    expect((await deployment.backupctl(['verify', '--from', 'local'])).code).toBe(0);
  });

  it('knows what is not there', async () => {
    expect((await deployment.backupctl(['verify', 'gondor'])).code).toBe(4);
    expect((await deployment.backupctl(['verify', '--run', 'yesterday'])).code).toBe(2);
  });

  it('lets no good artifact be removed because of one that has rotted', async () => {
    const kept = runs.at(-2) ?? '';
    await rot(runs.at(-1) ?? '');
    expect((await deployment.backupctl(['verify', '--from', 'local'])).code).toBe(5);
    await deployment.configure({ settings: { retention_count: 2 } });
    const newest = await backUp();
    const left = (await deployment.backupctl(['list', 'mordor', '--from', 'local', '--json'])).json as {
      run: string;
    }[];
    expect(left.map(({ run }) => run)).toEqual([newest, kept]);
    const { stdout } = await deployment.backupctl(['prune', '--dry-run']);
    expect(stdout).toContain('it failed verification: not counted, left for you');
  });

  it('goes by itself after each run, and the run says so', async () => {
    const settings = { verify: 'after_run', verify_method: 'read', verify_from: 's3' };
    await deployment.configure({ settings });
    const { json } = await deployment.backupctl(['run', '--json']);
    const { run, targets } = json as RunReport;
    expect(targets).toMatchObject([{ outcome: 'succeeded', verification: { method: 'read', outcome: 'verified' } }]);
    const listed = (await deployment.backupctl(['list', '--from', 's3', '--json'])).json as { run: string }[];
    expect(listed.find((row) => row.run === run)).toMatchObject({ verified: expect.any(String) as string });
  });

  it('goes by itself on a cron of its own', async () => {
    await deployment.configure({ settings: { verify: '*/3 * * * * * *', verify_method: 'read' } });
    const newest = await backUp();
    const applied = await deployment.backupctl(['schedule', 'apply']);
    expect(applied.stderr).toContain('verify schedule */3 * * * * * *: created');
    const shown = await deployment.backupctl(['schedule', 'show']);
    expect(shown.stdout).toMatch(/^verify \*\/3 \* \* \* \* \* \* \(UTC\): mordor$/m);
    await waitFor('a verification of the newest artifact', async () => {
      const { results } = JSON.parse(await readFile(`${fileOf(newest)}.verified.json`, 'utf8')) as Verification;
      return results.read?.outcome === 'verified';
    });
    await deployment.configure({ settings: {} });
    expect((await deployment.backupctl(['schedule', 'apply'])).stderr).toContain(
      'verify schedule */3 * * * * * *: removed',
    );
  });
});
