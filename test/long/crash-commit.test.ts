import { describe, it } from 'vitest';
import {
  databaseSubject,
  stepsOfCommit,
  stepsOfRun,
  surveySteps,
  surviveKill,
  surviveSuspension,
  volumeSubject,
  type Subject,
} from '../support/commit-steps.js';
import { atEach } from '../support/each-step.js';

// The third run prunes the first one, and the fourth, which a suspended worker does last, leaves the third.
const KEEP_TWO = { retention_count: 2 };
const subjects: Record<string, Subject> = {
  database: { deploy: databaseSubject(KEEP_TWO), earlierRuns: 2 },
  volume: { deploy: volumeSubject(KEEP_TWO), earlierRuns: 2 },
};

describe.each(Object.entries(subjects))('a run with a %s', (_kind, subject) => {
  it('survives the death of its worker at each step from its plan to its report', async () => {
    await atEach(stepsOfRun(await surveySteps(subject)), (step) => surviveKill(subject, step));
  });

  it('survives that its worker hangs at each step of a commit and a prune, and goes on later', async () => {
    await atEach(stepsOfCommit(await surveySteps(subject)), (step) => surviveSuspension(subject, step));
  });
});
