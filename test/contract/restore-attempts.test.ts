import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import { artifactName, inRun } from '../../src/domain/names.js';
import { digestFile } from '../../src/pipeline/digest.js';
import { loadRuntime, type Runtime } from '../../src/runtime.js';
import { openRestoreJournal } from '../../src/steps/restore-journal.js';
import { attemptRestore } from '../../src/steps/restore.js';
import { testDirectory } from '../support/config-file.js';
import { aManifest } from '../support/manifest.js';

const RUN = '20261124_030000';
const TOKEN = '01234567';

let directory: string;
let runtime: Runtime;
let into: string;
let said: string[];

beforeEach(async () => {
  directory = testDirectory();
  into = join(directory, 'restored');
  said = [];
  const configFile = join(directory, 'backups.yml');
  const backupDir = join(directory, 'backups');
  await mkdir(join(directory, 'files'));
  await mkdir(backupDir);
  await writeFile(
    configFile,
    `volume_backups:\n  - { name: files, path: ${directory}/files }\nbackup_config: { backup_dir: ${backupDir}, service: middle-earth }\n`,
  );
  runtime = await loadRuntime({ configFile });
  await commitArtifact();
});

/** An artifact of `files` with one file in it. */
async function commitArtifact(): Promise<void> {
  const name = artifactName({ target: 'files', kind: 'volume', run: RUN, compression: 'gzip' });
  await writeFile(join(directory, 'files', 'ring'), 'one\n');
  const path = join(directory, name);
  await promisify(execFile)('tar', ['-czf', path, '-C', join(directory, 'files'), '.']);
  const facts = await digestFile(path);
  const source = { kind: 'volume', host: 'default', path: join(directory, 'files') } as const;
  const artifact = { name, compression: 'gzip', compressionLevel: 6, ...facts } as const;
  const manifest = aManifest({ target: 'files', kind: 'volume', run: RUN, service: 'middle-earth', source, artifact });
  const options = { signal: new AbortController().signal, onProgress: () => undefined };
  await runtime.local.putFile(inRun(RUN, name), path, facts, options);
  await createCatalog(runtime.local).commit(manifest);
}

function attempt(restoreToken = TOKEN) {
  const step = { signal: new AbortController().signal, onProgress: () => undefined, log: (l: string) => said.push(l) };
  return attemptRestore(runtime, { target: 'files', into, noOwner: false, restoreToken }, step);
}

describe('an attempt at a restore', () => {
  it('answers for the one before, where that was killed after it was done, and touches nothing', async () => {
    const first = await attempt();
    await writeFile(join(into, 'later'), 'in use');
    expect(await attempt()).toEqual(first);
    expect((await readdir(into)).sort()).toEqual(['later', 'ring']);
  });

  it('is refused where another restore has done it', async () => {
    await attempt();
    await expect(attempt('89abcdef')).rejects.toMatchObject({ code: 'Conflict' });
  });

  it('removes what the one before had extracted, and nothing of others', async () => {
    for (const token of [`${TOKEN}aaaa`, '89abcdefaaaa']) await mkdir(join(directory, `.restored.restoring-${token}`));
    await mkdir(join(runtime.local.root, `.restore-${TOKEN}abc`));
    await attempt();
    const left = (await readdir(directory)).filter((name) => name.startsWith('.restored.'));
    expect(left).toEqual(['.restored.restoring-89abcdefaaaa']);
    expect(said).toContainEqual(expect.stringContaining(`.restored.restoring-${TOKEN}aaaa`));
    expect((await readdir(runtime.local.root)).filter((name) => name.startsWith('.restore-'))).toEqual([]);
  });

  it('begins anew in a directory that the one before was filling where it is', async () => {
    await mkdir(into, { mode: 0o750 });
    await writeFile(join(into, 'half'), '');
    await expect(attempt()).rejects.toMatchObject({ code: 'Conflict' }); // nobody noted that it was empty
    const journal = await openRestoreJournal(runtime.local.root, TOKEN);
    await journal.note({
      fills: { path: into, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o750 },
    });
    await attempt();
    expect(await readdir(into)).toEqual(['ring']);
    expect(await readFile(join(into, 'ring'), 'utf8')).toBe('one\n');
  });

  it('leaves no note where it failed', async () => {
    await mkdir(into);
    await writeFile(join(into, 'taken'), '');
    await expect(attempt()).rejects.toMatchObject({ code: 'Conflict' });
    expect((await readdir(runtime.local.root)).filter((name) => name === '.restores')).toEqual([]);
  });
});
