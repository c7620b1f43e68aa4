import { ApplicationFailure, ChildWorkflowFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPlan,
  anArtifact,
  ending,
  openStage,
  startRun,
  withWorkers,
  type FakeActivities,
  type Stage,
} from '../support/workflow-workers.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const child = (name: string) => stage.client.workflow.getHandle(`middle-earth/database/${name}`);
const why = 'cannot connect to gondor: because the password is wrong\nHINT: set it';

/** One target that fails, one that is copied to S3, one that a broken worker says little about. */
const fakes: FakeActivities = {
  orchestrator: {
    planRun: () => Promise.resolve(aPlan(['mordor', 'gondor', 'rohan'], { destinations: ['local', 's3'] })),
  },
  host: {
    captureTarget: (input) => {
      if (input.target.name === 'mordor') return Promise.resolve(anArtifact(input));
      const message = input.target.name === 'gondor' ? why : 'TypeError: x is not a function';
      return Promise.reject(ApplicationFailure.nonRetryable(message));
    },
  },
};

/** What the Web UI asks for to show details. */
async function detailsOf(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails.replaceAll(/[\u2002\u00a0]/g, ' ');
}

/** The summaries of what a workflow did, as the history holds them. */
async function summariesOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ userMetadata }) => {
    const data = userMetadata?.summary?.data;
    return data == null ? [] : [JSON.parse(Buffer.from(data).toString('utf8')) as string];
  });
}

describe('the Web UI', () => {
  it('shows what a run does, what became of its targets, and why', async () => {
    await withWorkers(stage, fakes, async () => {
      const handle = await startRun(stage);
      await ending(handle);
      expect(new Set(await summariesOf(handle))).toEqual(
        new Set([
          'plan',
          'deadline of the run',
          ...['mordor', 'gondor', 'rohan'].map((name) => `back up ${name} in run 20261124_030000`),
          ...['prune local', 'prune s3', 'report'],
        ]),
      );
      expect(await summariesOf(child('mordor'))).toContain('dump mordor');
      expect(await summariesOf(child('mordor'))).toContain('copy mordor to s3');

      const details = (await detailsOf(handle)).split('\n');
      expect(details[0]).toBe('**Run 20261124_030000**: partial, 3 targets: 2 failed, 1 succeeded');
      expect(
        details
          .slice(4)
          .map((row) => row.replace(/\d+\.\d s/, 'TIME'))
          .sort(),
      ).toEqual([
        '| gondor | database | failed | cannot connect to gondor: because the password is wrong |  | TIME |',
        '| mordor | database | succeeded |  | 1 B | TIME |',
        '| rohan | database | failed | cannot dump rohan: because TypeError: x is not a function |  | TIME |',
      ]);
      expect(await detailsOf(child('mordor'))).toBe(
        '**mordor** (database) in run 20261124_030000: succeeded\n\n- mordor\\_20261124\\_030000.sql.gz, 1 B',
      );
      expect(await detailsOf(child('gondor'))).toContain(
        'failed\n\n- cannot connect to gondor: because the password is wrong',
      );
    });
  });

  it('shows in the first line of a failure what failed and why', async () => {
    await withWorkers(stage, fakes, async () => {
      const error: unknown = await (await startRun(stage)).result().catch((e: unknown) => e);
      const { message } = (error as WorkflowFailedError).cause as ApplicationFailure;
      expect(message).toMatch(/^2 of 3 targets failed: (gondor, rohan|rohan, gondor)\n/);
      expect(message).toContain(`\ngondor: ${why}`);
      for (const name of ['gondor', 'rohan']) {
        const failure: unknown = await child(name)
          .result()
          .catch((e: unknown) => e);
        const { cause } = failure as WorkflowFailedError;
        expect(cause).not.toBeInstanceOf(ChildWorkflowFailure);
        expect(cause?.message).toMatch(/^cannot .* (gondor|rohan): because .*/);
      }
    });
  });

  it('says so where a run could not be planned', async () => {
    const failure = ApplicationFailure.nonRetryable(
      'cannot read backups.yml: because it is not there',
      'ConfigInvalid',
    );
    await withWorkers(stage, { orchestrator: { planRun: () => Promise.reject(failure) } }, async () => {
      const handle = await startRun(stage);
      await handle.result().catch(() => undefined);
      expect(await detailsOf(handle)).toBe('cannot read backups.yml: because it is not there');
    });
  });
});
