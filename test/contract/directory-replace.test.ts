import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rename, rm, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { putBack, replaceDirectory, requireReplaceableDirectory } from '../../src/sources/directory/replace.js';
import { captureMounted } from '../../src/sources/directory/capture.js';
import { filledDirectory, mountedAttempt } from '../support/mounted-attempt.js';
import { runScript } from '../support/run-script.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { LIFELIKE_CONTENT, ODD_CONTENT } from '../support/volume-content.js';
import { waitFor } from '../support/wait-for.js';
import { walk } from '../support/walk.js';

const ENDING = '_before_20261124_030000';

/** What restores a captured directory in place, after it got this other content. */
async function replacementOf(captured: string, old: string) {
  const into = await filledDirectory(captured);
  const attempt = await mountedAttempt(into);
  await captureMounted(attempt);
  const atCapture = await walk(into);
  await runScript({ directory: into }, `rm -rf -- * .[!.]*\n${old}`);
  const common = { ...attempt, into, ending: ENDING, artifactPath: attempt.partPath, attemptToken: '0123456789ab' };
  return { ...common, captured: atCapture, old: await walk(into), keptAs: into + ENDING };
}

const beside = ({ into }: { into: string }) => readdir(dirname(into));

/** A process that has something to do with a directory until the test ends, once it has begun. */
async function processDoing(script: string, directory: string): Promise<number> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'bash', '-c', `${script}`, 'bash', directory], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  });
  await once(child.stdout, 'data');
  return child.pid ?? expect.fail('it did not start');
}

test('a directory is replaced as a whole, and what was there stays beside it as it was', async () => {
  const replacement = await replacementOf(LIFELIKE_CONTENT, `${ODD_CONTENT}chown 33:34 .; chmod 2770 .`);
  await runScript({ directory: dirname(replacement.into) }, 'chmod 2775 .');

  expect(await replaceDirectory(replacement)).toEqual({ warnings: [], keptAs: replacement.keptAs });
  expect(await walk(replacement.into)).toEqual(replacement.captured);
  expect(await walk(replacement.keptAs)).toEqual(replacement.old);
  expect(await beside(replacement)).toEqual(['uploads', `uploads${ENDING}`]);
});

test.each([
  ['works in it', 'cd "$1/below"; echo; read'],
  ['has a file of it open', 'exec 3>>"$1/below/file"; echo; read'],
  [
    'sees it as a mount of its own',
    'exec unshare --mount bash -c \'mount --bind "$1" /mnt && echo && read\' bash "$1"',
  ],
])('a process that %s is named, and nothing is touched', async (_what, script) => {
  const replacement = await replacementOf('echo new >new', 'mkdir below; echo old >below/file');
  const pid = await processDoing(script, replacement.into);

  await expect(replaceDirectory(replacement)).rejects.toMatchObject({
    code: 'Conflict',
    message: `cannot restore uploads in place of the directory ${replacement.into}: because bash (process ${String(pid)}) uses it`,
  });
  expect(await walk(replacement.into)).toEqual(replacement.old);
  expect(await beside(replacement)).toEqual(['uploads']);
});

test('a process that comes while the new content is extracted is seen before the replacement', async () => {
  const replacement = await replacementOf('echo new >new', 'echo old >old');
  let comes: Promise<number> | undefined;
  const onProgress = () => {
    comes ??= processDoing('cd "$1"; echo; read', replacement.into);
  };
  const tar = { ...replacement.tools.tar, path: join(dirname(replacement.partPath), 'tar') };
  const opened = join(dirname(replacement.partPath), 'opened');
  const script = `#!/bin/bash\ncat >copy; until [[ -e ${opened} ]]; do sleep 0.02; done; exec ${replacement.tools.tar?.path ?? ''} "$@" <copy\n`;
  await runScript(
    { directory: dirname(tar.path) },
    `cat >tar <<'END'\n${script.replace('copy;', `${opened}.copy;`).replace('<copy', `<${opened}.copy`)}END\nchmod 755 tar`,
  );
  const tools = { ...replacement.tools, tar: { version: '1', isGnu: true, path: tar.path } };
  const replaced = expect(replaceDirectory({ ...replacement, tools, onProgress })).rejects.toMatchObject({
    code: 'Conflict',
  });
  await waitFor('the process to come', () => comes !== undefined);
  await comes;
  await runScript({ directory: dirname(opened) }, `: >${opened}`);

  await replaced;
  expect(await walk(replacement.into)).toEqual(replacement.old);
  expect(await beside(replacement)).toEqual(['uploads']);
});

test('a mount point is refused, and so is a directory with one in it', async () => {
  const replacement = await replacementOf('echo new >new', 'mkdir disk');
  await mountSmallDisk({ onTestFinished }, join(replacement.into, 'disk'), 1);

  for (const into of [replacement.into, join(replacement.into, 'disk')]) {
    await expect(requireReplaceableDirectory({ ...replacement, into })).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('is a mount point, which cannot be renamed') as string,
      hint: expect.stringContaining('--into') as string,
    });
  }
});

test('an artifact that is damaged leaves everything as it was', async () => {
  const replacement = await replacementOf('head -c 1M /dev/urandom >noise', 'echo old >old');
  await truncate(replacement.artifactPath, 500_000);

  await expect(replaceDirectory(replacement)).rejects.toMatchObject({ code: 'ProgramFailed' });
  expect(await walk(replacement.into)).toEqual(replacement.old);
  expect(await beside(replacement)).toEqual(['uploads']);
});

test('a second rename that fails takes the first one back', async () => {
  const replacement = await replacementOf('echo new >new', 'echo old >old');
  const stage = join(dirname(replacement.into), '.uploads.restoring-0123456789ab');
  const onWhole = () => rm(stage, { recursive: true });

  await expect(replaceDirectory({ ...replacement, onWhole })).rejects.toThrow('cannot rename');
  expect(await walk(replacement.into)).toEqual(replacement.old);
  expect(await beside(replacement)).toEqual(['uploads']);
});

test('a kill between the two renames is mended by the next attempt, and told to any other restore', async () => {
  const replacement = await replacementOf('echo new >new', 'echo old >old');
  const { into, keptAs } = replacement;
  await rename(into, keptAs);
  await mkdir(join(dirname(into), `.${basename(into)}.restoring-0123456789ab`));

  await expect(requireReplaceableDirectory(replacement)).rejects.toMatchObject({
    hint: `a restore was killed: bring back what was there by: mv ${keptAs} ${into}`,
  });
  expect(await putBack(replacement, 'ffffffff')).toBe(false);
  expect(await putBack(replacement, '01234567')).toBe(true);
  expect(await walk(into)).toEqual(replacement.old);
  expect(await putBack(replacement, '01234567')).toBe(false);
});
