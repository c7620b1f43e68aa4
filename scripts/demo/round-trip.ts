import { backupctl } from './backupctl.js';
import { listBucket } from './bucket.js';
import { requireSame } from './comparison.js';
import type { DemoContext } from './context.js';
import { BUCKET } from './servers.js';
import type { Stage } from './stage.js';

/** Backs up everything, restores each target beside its origin and compares both. Returns what that proved, by lines. */
export async function makeRoundTrip(context: DemoContext, stage: Stage): Promise<string[]> {
  const { screen, signal } = context;
  const command = (...args: string[]) =>
    backupctl({ args, configFile: stage.configFile, signal, line: (text) => screen.line(text) });
  screen.step('A backup');
  await command('run');
  screen.step('What there is now');
  await command('list');
  await showBucket(context, stage);
  screen.step('Each one restored beside its origin, and compared with it');
  const proved: string[] = [];
  for (const target of stage.targets) {
    const { name, into, from } = target;
    if (proved.length > 0) screen.line('');
    await command('restore', name, ...(from === 's3' ? ['--from', 's3'] : []), '--into', into);
    requireSame(target, await target.read(into));
    screen.line(`The same as ${target.origin}: ${target.description}`);
    proved.push(
      `${name} came back the same from ${from === 's3' ? 'S3' : 'the backup directory'}: ${target.description}`,
    );
  }
  return proved;
}

async function showBucket({ screen }: DemoContext, { servers, targets }: Stage): Promise<void> {
  const objects = await listBucket(servers.s3);
  screen.line('');
  screen.line(`s3://${BUCKET}, as the S3 server lists it`);
  for (const { key, sizeBytes } of objects) screen.line(`${sizeBytes.toLocaleString('en').padStart(10)}  ${key}`);
  const copies = objects.filter(({ key }) => key.endsWith('.manifest.json')).length;
  const expected = targets.length + 1; // the roles of the server come along
  if (copies === expected) return;
  throw new Error(`the bucket holds ${String(copies)} of ${String(expected)} artifacts`);
}
