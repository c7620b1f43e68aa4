import { it } from 'vitest';
import { surveyRequests, surviveLostAnswer } from '../support/copy-steps.js';
import { atEach } from '../support/each-step.js';

it('a run survives the death of its worker at each request to the store, done and not heard of', async () => {
  await atEach(await surveyRequests(), surviveLostAnswer);
});
