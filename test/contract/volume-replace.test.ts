import { expect, test } from 'vitest';
import { replaceVolume } from '../../src/sources/volume/replace.js';
import { requireReplaceable } from '../../src/sources/volume/replaceable.js';
import { containersOf } from '../support/volume-attempt.js';
import { LIFELIKE_CONTENT, ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';
import { contentOf, keptOf, replacementOf } from '../support/volume-replacement.js';

const OWN_TOP = `
setfattr -n user.of-the-top -v old .
setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff .
chown 999:998 .; chmod 3771 .; touch -d '2026-10-01 12:00:00.5 UTC' .
`;

test('a volume is replaced as a whole, and what was there stays in another one as it was', async () => {
  const replacement = await replacementOf(LIFELIKE_CONTENT, `${ODD_CONTENT}${ODD_RIGHTS}${OWN_TOP}`);
  const { volume, keptAs } = replacement;

  expect(await replaceVolume(replacement)).toEqual({ warnings: [], keptAs });
  expect(await contentOf(volume)).toEqual(replacement.captured);
  expect(await contentOf(keptAs)).toEqual(replacement.old);
  expect(await containersOf(replacement.service)).toEqual([]);
});

test('whatever a file system allows comes in place of a lifelike one', async () => {
  const replacement = await replacementOf(`${ODD_CONTENT}${ODD_RIGHTS}${OWN_TOP}`, LIFELIKE_CONTENT);
  await replaceVolume(replacement);

  expect(await contentOf(replacement.volume)).toEqual(replacement.captured);
  expect(await contentOf(replacement.keptAs)).toEqual(replacement.old);
  expect(await keptOf(replacement.volume)).toEqual([replacement.keptAs]);
});

test('its plan tells how much there is', async () => {
  const replacement = await replacementOf('echo new >new', 'head -c 3M /dev/urandom >noise');
  const facts = await requireReplaceable(replacement, replacement.signal);

  expect(facts).toMatchObject({ stages: [], stopped: [] });
  expect(facts.takenBytes).toBeGreaterThanOrEqual(3 * 1024 * 1024);
  expect(facts.takenBytes).toBeLessThan(4 * 1024 * 1024);
  expect(facts.freeBytes).toBeGreaterThan(0);
  expect(await contentOf(replacement.volume)).toEqual(replacement.old);
});
