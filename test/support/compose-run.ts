import { once } from 'node:events';
import type { ComposeStack } from './compose-stack.js';
import { waitFor } from './wait-for.js';

export interface StartedRun {
  ended: Promise<{ code: number | null; output: string }>;
}

/** A run by hand, as an operator starts it: `docker compose exec backup-orchestrator /backup.sh …`. */
export function startedRun(stack: ComposeStack, args: readonly string[] = []): StartedRun {
  const child = stack.start('backup-orchestrator', ['/backup.sh', ...args]);
  let output = '';
  const take = (bytes: Buffer) => (output += bytes.toString());
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return { ended };
}

/** Starts a run that nobody follows; resolves to what waits for its end and tells its outcome. */
export async function detachedRun(stack: ComposeStack): Promise<{ outcome: () => Promise<string> }> {
  const started = await stack.backupctl('run', '--detach', '--json');
  const { workflowId } = JSON.parse(started) as { workflowId: string };
  const outcome = () =>
    waitFor(
      'the run to end',
      async () => {
        const { runs } = JSON.parse(await stack.backupctl('status', '--json')) as {
          runs: { workflowId: string; outcome: string }[];
        };
        return runs.find((run) => run.workflowId === workflowId)?.outcome;
      },
      { timeoutMs: 180_000, intervalMs: 500 },
    );
  return { outcome };
}

/** Holds `rings` of mordor, so that a dump of it waits until `release`: a run held in the middle. */
export async function holdMordor(stack: ComposeStack): Promise<{ release: () => Promise<void> }> {
  const session = stack.start('postgres', ['psql', '-XAtq', '-U', 'postgres', '-d', 'mordor']);
  const ended = once(session, 'close');
  session.stdin?.write('BEGIN; LOCK TABLE rings IN ACCESS EXCLUSIVE MODE;\n');
  await waitFor('the lock', async () => (await locksOfMordor(stack, 'granted')) > 0);
  return {
    async release() {
      if (session.stdin?.writableEnded === false) session.stdin.end('ROLLBACK;\n');
      await ended;
    },
  };
}

export async function waitForHeldDump(stack: ComposeStack): Promise<void> {
  await waitFor('a dump to wait for the lock', async () => (await locksOfMordor(stack, 'NOT granted')) > 0, {
    timeoutMs: 90_000,
  });
}

async function locksOfMordor(stack: ComposeStack, condition: string): Promise<number> {
  const sql = `SELECT count(*) FROM pg_locks WHERE relation = 'rings'::regclass AND mode LIKE 'Access%' AND ${condition}`;
  return Number(await stack.sql('mordor', sql));
}
