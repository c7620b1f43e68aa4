import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLEAR_SCRIPT, EXIT, STAGE_SCRIPT, SWAP_SCRIPT, UNDO_SCRIPT } from '../../src/sources/volume/replace-script.js';
import { runScript } from '../support/run-script.js';
import { testDirectory } from '../support/volume-attempt.js';

/**
 * The scripts that helper containers run, here in a directory: programs before the real ones do each rename on its own, and at the
 * k-th step kill the shell that asked for it (`kill`) or fail (`fail`).
 */
const OLD = String.raw`
mkdir -p data/deep; echo old >data/deep/file; echo old >both; ln both data/linked; echo odd >$'-r
f'
setfattr -n user.of-the-top -v old .; chown 33:34 .; chmod 2771 .
find . -exec touch -h -d '2026-10-01 12:00:00.25 UTC' {} +`;
const NEW = String.raw`
mkdir -p data; echo new >data/file; echo new >both; echo new >.dotted; chown 99:98 .; chmod 0750 .
find . -exec touch -h -d '2026-11-01 12:00:00.5 UTC' {} +`;
/** All that tells one content from another. */
const LOOK = String.raw`
find . -printf '%P %y %m %U %G %n %T@
' | sort; find . -type f -print0 | sort -z | xargs -0 md5sum; getfattr -d .`;
const TOKEN = '0123456789ab';

interface Scene {
  directory: string;
  volume: string;
  programs: string;
  artifact: string;
}

/** A volume in which the new content is staged, and how it was before, and how a restored one looks. */
async function staged(): Promise<Scene & { old: string; fresh: string }> {
  const directory = await testDirectory();
  const place = placeIn(directory);
  const fresh = join(directory, 'fresh');
  for (const path of [place.volume, fresh, place.programs]) await mkdir(path);
  await runScript({ directory: place.volume }, OLD);
  await runScript(
    { directory: fresh },
    `${NEW}
tar --create --xattrs --acls --format=posix . | gzip -c >${place.artifact}`,
  );
  await writeFile(join(place.programs, 'step'), STEP);
  for (const [name, script] of Object.entries(MEET)) {
    await writeFile(
      join(place.programs, name),
      `#!/bin/bash
${script}`,
    );
    await chmod(join(place.programs, name), 0o755);
  }
  const looks = { old: await look(place.volume), fresh: await look(fresh) };
  expect(play(place, STAGE_SCRIPT)).toBe(0);
  return { ...place, ...looks };
}

function placeIn(directory: string): Scene {
  const [volume, programs, artifact] = ['volume', 'programs', 'artifact.tar.gz'].map((name) => join(directory, name));
  return { directory, volume: volume ?? '', programs: programs ?? '', artifact: artifact ?? '' };
}

async function copyOf({ directory }: Scene): Promise<Scene> {
  const copy = await testDirectory();
  await runScript({ directory }, `cp -a volume programs artifact.tar.gz ${copy}/`);
  return placeIn(copy);
}

async function look(directory: string): Promise<string> {
  return (await runScript({ directory }, LOOK)).toString();
}

/** Counts; at step $AT it kills the script's shell or returns 1. `sync` is no change, and is not counted. */
const STEP = `
step() {
  local n=$(($(cat "$COUNTER") + 1)); echo $n >"$COUNTER"
  [[ $n -eq $AT ]] || return 0
  [[ $HOW == kill ]] && kill -9 $PPID && exit 1
  echo "$0: made to fail: Input/output error" >&2; exit 1
}`;
const real = (name: string) => `source "\${0%/*}/step"; `.concat(name === 'mv' ? '' : 'step; ');
const MEET: Record<string, string> = {
  mv: `${real('mv')}
if [[ $1 == -n ]]; then shift 4; target=$TARGET; for entry; do step; /bin/mv -n -t "$target" -- "$entry" || exit; done
else step; exec /bin/mv "$@"; fi`.replace('shift 4; target=$TARGET', 'target=$3; shift 4'),
  mkdir: `${real('mkdir')}exec /bin/mkdir "$@"`,
  rm: `${real('rm')}exec /bin/rm "$@"`,
  sync: 'exit 0',
};

/** Without a stdin of its own bash would take itself for one that serves a network, and read its user's settings. */
function play({ volume, programs, directory, artifact }: Scene, script: string, at = 0, how = 'kill'): number | string {
  const counter = join(directory, 'counter');
  spawnSync('bash', ['-c', `echo 0 >${counter}`]);
  const env = {
    ...{ PATH: `${programs}:${process.env['PATH'] ?? ''}`, VOLUME: volume, TOKEN, ARTIFACT: artifact },
    ...{ COUNTER: counter, AT: String(at), HOW: how },
  };
  const { status, signal } = spawnSync('bash', ['-c', script, 'bash', 'gzip', '-dc'], { env, stdio: 'ignore' });
  return status ?? signal ?? 'no end';
}

/** What the next attempt does about what it finds. */
async function mend(place: Scene): Promise<'old' | 'new'> {
  const stages = (await readdir(place.volume)).filter((name) => name.endsWith(TOKEN));
  const isDone = !stages.some((name) => /^\.(restoring|replacing)-/.test(name));
  if (stages.includes(`.replacing-${TOKEN}`)) expect(play(place, UNDO_SCRIPT)).toBe(0);
  expect(play(place, CLEAR_SCRIPT)).toBe(0);
  return isDone ? 'new' : 'old';
}

/** The top's own time is the moment of the last rename where removing the old content was cut short. */
function butForTopTime(text: string): string {
  return text.replace(/^( d \d+ \d+ \d+ \d+) .*$/m, '$1');
}

test('a replacement that is killed at any step is found as old or as new, and the next attempt makes it that wholly', async () => {
  const before = await staged();
  const ends: string[] = [];
  for (let at = 1; ; at += 1) {
    const place = await copyOf(before);
    const end = play(place, SWAP_SCRIPT, at);
    const found = await mend(place);
    ends.push(found);
    if (found === 'old') expect(await look(place.volume)).toBe(before.old);
    else expect(butForTopTime(await look(place.volume))).toBe(butForTopTime(before.fresh));
    if (end === 0) break;
    expect(end).toBe('SIGKILL');
  }
  // The claim, a place for the old, three renames, their mark, three of the new, the mark of the end; then one removal.
  expect(ends).toEqual([...Array<string>(10).fill('old'), 'new', 'new']);
});

test('a replacement that fails at any step brings the old content back by itself', async () => {
  const before = await staged();
  for (let at = 2; at <= 9; at += 1) {
    const place = await copyOf(before);
    expect([at, play(place, SWAP_SCRIPT, at, 'fail')]).toEqual([at, EXIT.undone]);
    expect(play(place, CLEAR_SCRIPT)).toBe(0);
    expect(await look(place.volume)).toBe(before.old);
  }
});

test('an undoing that is killed at any step is gone on with', async () => {
  const before = await staged();
  play(before, SWAP_SCRIPT, 9); // with the new content half in its place
  for (let at = 1; ; at += 1) {
    const place = await copyOf(before);
    const end = play(place, UNDO_SCRIPT, at);
    expect(await mend(place)).toBe('old');
    expect(await look(place.volume)).toBe(before.old);
    if (end === 0) break;
  }
});

test('the stage of one restore is no place for another one, and who comes late finds it taken', async () => {
  const before = await staged();
  expect(play(before, STAGE_SCRIPT)).toBe(EXIT.taken);
  expect(play(before, CLEAR_SCRIPT)).toBe(0);
  expect(play(before, SWAP_SCRIPT)).toBe(EXIT.taken);
  expect(await look(before.volume)).toBe(before.old);
});
