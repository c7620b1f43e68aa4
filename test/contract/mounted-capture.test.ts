import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { captureMounted, describeMounted } from '../../src/sources/directory/capture.js';
import { restoreDirectory } from '../../src/sources/directory/restore.js';
import { proveArtifact } from '../../src/pipeline/prove.js';
import { stubEnvironment } from '../support/docker-wrapper.js';
import { filledDirectory, heldAttempt, mountedAttempt, tarReading } from '../support/mounted-attempt.js';
import { runScript } from '../support/run-script.js';
import { testDirectory } from '../support/volume-attempt.js';
import { ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';
import { walk } from '../support/walk.js';

const run = promisify(execFile);

test.each(['gzip', 'zstd'] as const)(
  'a directory captured with %s and restored is the same, file by file, and Docker is not asked',
  async (compression) => {
    stubEnvironment('DOCKER_HOST', 'unix:///nonexistent');
    const path = await filledDirectory(ODD_CONTENT + ODD_RIGHTS);
    const attempt = await mountedAttempt(path, { compression, level: 3 });
    const captured = await captureMounted(attempt);

    expect(captured).toEqual({
      source: { kind: 'volume', host: 'default', path },
      programs: {
        tar: expect.stringMatching(/^\d+\.\d+/) as string,
        [compression === 'zstd' ? 'zstd' : 'bgzip']: expect.stringMatching(/^\d+\.\d+/) as string,
      },
      warnings: [],
    });
    expect(await describeMounted(attempt)).toEqual({ ...captured, programs: {} });
    await proveArtifact({ path: attempt.partPath, kind: 'volume', compression, tools: attempt.tools });
    const into = join(await testDirectory(), 'restored');
    expect(await restoreDirectory({ ...attempt, into, artifactPath: attempt.partPath })).toEqual({ warnings: [] });
    expect(await walk(into)).toEqual(await walk(path));
  },
);

test('a stock tar restores it', async () => {
  const path = await filledDirectory(ODD_CONTENT + ODD_RIGHTS);
  const attempt = await mountedAttempt(path);
  await captureMounted(attempt);
  const into = join(await testDirectory(), 'restored');
  await mkdir(into);
  await run('tar', ['--xattrs', '--xattrs-include=*', '--acls', '-xzf', attempt.partPath], { cwd: into });

  expect(await walk(into)).toEqual(await walk(path));
});

test('a symbolic link to the directory will do, and a name that looks like options', async () => {
  const path = await filledDirectory('echo one >file');
  const link = join(await testDirectory(), '--checkpoint-action=exec=false');
  await runScript({ directory: '/' }, `ln -s '${path}' '${link}'`);
  const attempt = await mountedAttempt(link);

  expect(await captureMounted(attempt)).toMatchObject({ source: { path: link }, warnings: [] });
  expect((await run('tar', ['-tzf', attempt.partPath])).stdout).toBe('./\n./file\n');
});

test('a socket is left out with a warning that names it', async () => {
  const program = 'const s = require("net").createServer().listen("naïve socket", () => process.exit())';
  const attempt = await mountedAttempt(await filledDirectory(`'${process.execPath}' -e '${program}'`));

  // Node removes its socket in a regular end only.
  expect((await captureMounted(attempt)).warnings).toEqual(['tar: ./naïve socket: socket ignored']);
});

test('the data directory of a running PostgreSQL server is warned about, however deep the volume has it', async () => {
  const script = `
    mkdir -p 18/docker old too/deep/here $'latin1 \\xe9/data'
    touch {PG_VERSION,postmaster.pid} {18/docker,too/deep/here,$'latin1 \\xe9/data'}/{PG_VERSION,postmaster.pid} old/PG_VERSION`;
  const { warnings } = await captureMounted(await mountedAttempt(await filledDirectory(script)));

  expect(warnings.map((warning) => warning.split(' looks like ')[0]).sort()).toEqual([
    './',
    './18/docker/',
    './latin1 \uFFFD/data/',
  ]);
  expect(warnings[0]).toMatch(/make the database a target of its own$/);
});

test('an empty directory is a warning: so a mount looks that is not there', async () => {
  const path = await filledDirectory('');
  const { warnings } = await captureMounted(await mountedAttempt(path));

  expect(warnings).toEqual([`${path} is empty: so a directory looks whose volume is not mounted`]);
});

/** In `ls -U` order, in which tar reads it too, at least one file follows the large one. */
const CHANGING = `
mkdir many
head -c 4M /dev/urandom >many/large
until ls -U many | sed '1,/^large$/d' | grep -q .; do n=$(( \${n:-0} + 1 )); echo $n >many/small-$n; done
`;

test.each([
  ['grows', 'echo more >>many/large', 'tar: ./many/large: file changed as we read it'],
  ['shrinks', 'truncate -s 1M many/large', /^tar: \.\/many\/large: File shrank by \d+ bytes; padding with zeros$/],
  ['vanishes', 'rm many/small-*', /^tar: \.\/many\/small-\d+: File removed before we read it$/],
])('a file that %s while it is read is a warning that names it', async (_what, change, warning) => {
  const path = await filledDirectory(CHANGING);
  const attempt = await heldAttempt(path);
  const capture = captureMounted(attempt);
  await tarReading('/many/large');
  await runScript({ directory: path }, change);
  await attempt.gate.open();

  const expected = typeof warning === 'string' ? warning : (expect.stringMatching(warning) as string);
  expect((await capture).warnings).toContainEqual(expected);
});

test('it is told how much was written, to the last byte', async () => {
  const attempt = await mountedAttempt(await filledDirectory('head -c 4M /dev/urandom >noise'));
  await captureMounted(attempt);

  expect(attempt.sizes).toEqual([...new Set(attempt.sizes)].sort((one, other) => one - other));
  expect(attempt.sizes.at(-1)).toBe((await stat(attempt.partPath)).size);
});
