import { expect, it } from 'vitest';
import { volumeCommands } from '../../src/steps/kept-volume.js';

it('nothing is brought back from a kept volume that was removed, for which the engine would make an empty one', () => {
  const { goBack } = volumeCommands({ into: 'uploads', keptAs: 'uploads_before_20261124_030000' });
  expect(goBack).toMatch(/^docker volume inspect uploads_before_20261124_030000 >\/dev\/null && docker run /);
});
