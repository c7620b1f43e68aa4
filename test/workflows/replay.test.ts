import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes.js';
import { RUN_PROGRESS_QUERY, type RunProgress } from '../../src/domain/steps.js';
import { targetWorkflowId } from '../../src/domain/task-queues.js';
import { waitFor } from '../support/wait-for.js';
import {
  SETTINGS,
  aPlan,
  anArtifact,
  ending,
  openStage,
  startRun,
  untilCancelled,
  withWorkers,
  type FakeActivities,
  type Stage,
} from '../support/workflow-workers.js';

const { History } = proto.temporal.api.history.v1;
const HISTORIES = fileURLToPath(new URL('../fixtures/histories/', import.meta.url));

/**
 * A run that was going on when the service was upgraded must go on: what workflows decided before, they have to decide again. A change
 * that turns this red needs `patched`. `RECORD_HISTORIES=1` records anew, for a new kind of history; keep the old ones.
 */
describe('recorded histories', async () => {
  const names = (await readdir(HISTORIES)).filter((name) => name.endsWith('.json'));

  it('are there for every kind of ending', () => {
    expect(names.length).toBeGreaterThanOrEqual(SCENARIOS.length);
  });

  for (const name of names) {
    it(`replay: ${basename(name, '.json')}`, async () => {
      const recorded = JSON.parse(await readFile(join(HISTORIES, name), 'utf8')) as Record<string, unknown>;
      await Worker.runReplayHistory({ workflowBundle: inject('workflowBundle') }, History.fromObject(recorded));
    });
  }
});

interface Scenario {
  name: string;
  fakes: FakeActivities;
  cancel?: boolean;
}

const refusal = ApplicationFailure.nonRetryable(
  'cannot connect to gondor: because the password is wrong',
  'LoginRefused',
);
let shutdowns = 0;
const SCENARIOS: Scenario[] = [
  { name: 'succeeded', fakes: planned(aPlan(['mordor', 'gondor', 'rohan'], { destinations: ['local', 's3'] })) },
  {
    name: 'partial',
    fakes: {
      ...planned(aPlan(['mordor', 'gondor'])),
      host: {
        captureTarget: (input) =>
          input.target.name === 'gondor' ? Promise.reject(refusal) : Promise.resolve(anArtifact(input)),
      },
    },
  },
  {
    name: 'copy-failed',
    fakes: {
      ...planned(aPlan(['mordor'], { destinations: ['local', 's3'] })),
      host: { copyArtifact: () => Promise.reject(refusal) },
    },
  },
  {
    name: 'deadline',
    fakes: {
      ...planned(aPlan(['mordor', 'gondor', 'rohan'], { settings: { ...SETTINGS, deadlineMs: 1_500 } })),
      host: { captureTarget: untilCancelled },
    },
  },
  {
    name: 'cancelled',
    fakes: { ...planned(aPlan(['mordor'])), host: { captureTarget: untilCancelled } },
    cancel: true,
  },
  {
    name: 'found-by',
    fakes: {
      ...planned(aPlan(['mordor', 'gondor'], { searchAttributes: true })),
      host: {
        captureTarget: (input) =>
          input.target.name === 'mordor' ? Promise.reject(refusal) : Promise.resolve(anArtifact(input)),
      },
    },
  },
  {
    name: 'found-by-cancelled',
    fakes: { ...planned(aPlan(['mordor'], { searchAttributes: true })), host: { captureTarget: untilCancelled } },
    cancel: true,
  },
  { name: 'unpolled', fakes: { ...planned(aPlan(['mordor'])), withHost: false } },
  {
    name: 'worker-shutdown',
    fakes: {
      ...planned(aPlan(['mordor'])),
      host: {
        captureTarget: (input) => {
          shutdowns += 1;
          if (shutdowns > 2) return Promise.resolve(anArtifact(input));
          return Promise.reject(ApplicationFailure.nonRetryable('its worker was told to end', 'WorkerShutdown'));
        },
      },
    },
  },
];

function planned(plan: ReturnType<typeof aPlan>): FakeActivities {
  return { orchestrator: { planRun: () => Promise.resolve(plan) } };
}

if (process.env['RECORD_HISTORIES'] === '1') {
  describe('recording', () => {
    for (const { name, fakes, cancel } of SCENARIOS) {
      it(name, async () => {
        const stage = await openStage({ searchAttributes: SEARCH_ATTRIBUTES });
        await withWorkers(stage, fakes, async () => {
          const handle = await startRun(stage);
          if (cancel) {
            await waitFor('a capture', async () => {
              const { targets } = await handle.query<RunProgress>(RUN_PROGRESS_QUERY);
              return targets.some((t) => t.phase === 'capturing');
            });
            await handle.cancel();
          }
          await ending(handle).catch(() => undefined);
          await record(stage, `run-${name}`, handle.workflowId);
          await record(
            stage,
            `target-${name}`,
            targetWorkflowId({ service: 'middle-earth', kind: 'database', target: 'mordor' }),
          );
        });
        await stage.close();
      });
    }
  });
}

async function record(stage: Stage, name: string, workflowId: string): Promise<void> {
  const history = History.create(await stage.client.workflow.getHandle(workflowId).fetchHistory());
  const plain = History.toObject(history, { longs: String, bytes: String, enums: String });
  await mkdir(HISTORIES, { recursive: true });
  const text = JSON.stringify(plain, withoutPlaces, 1).replaceAll(/\d+@[\w.-]+/g, 'worker'); // in names of queues
  await writeFile(join(HISTORIES, `${name}.json`), text + '\n');
}

/** Where and by whom it was recorded is nobody's business. */
function withoutPlaces(key: string, value: unknown): unknown {
  return key === 'stackTrace' || key === 'identity' ? undefined : value;
}
