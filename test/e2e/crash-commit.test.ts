import { beforeAll, describe, expect, it } from 'vitest';
import {
  databaseSubject,
  stepsOfCommit,
  surveySteps,
  surviveKill,
  surviveSuspension,
  type Subject,
} from '../support/commit-steps.js';
import { seededSample } from '../support/seeded-sample.js';
import type { DiskStep } from '../support/traced-worker.js';

// A sample: test/long/crash-commit.test.ts goes through every step.
describe.concurrent('a commit', () => {
  const subject: Subject = { deploy: databaseSubject() };
  let all: DiskStep[];
  let steps: DiskStep[];
  beforeAll(async () => {
    all = await surveySteps(subject);
    steps = stepsOfCommit(all);
    expect(steps.map(({ text }) => text)).toContain('link data_RUN.sql.gz.TOKEN.part data_RUN.sql.gz');
  });

  it('survives the death of its worker between two steps', async () => {
    for (const step of seededSample('deaths in a commit', steps, 1)) await surviveKill(subject, step);
  });

  it('is reported although its worker dies in the report', async () => {
    const step = all.find(({ text }) => text === 'rename run.json.TOKEN.part run.json');
    if (step === undefined) throw new Error('no step of the report was seen');
    await surviveKill(subject, step);
  });

  it('survives that its worker hangs between two steps and goes on later', async () => {
    for (const step of seededSample('pauses in a commit', steps, 1)) await surviveSuspension(subject, step);
  });
});
