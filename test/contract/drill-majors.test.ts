import { expect, onTestFinished, test } from 'vitest';
import { dumpGlobals, makeEveryKind, drill } from '../support/drills.js';
import { captureArtifact, loginTo } from '../support/postgres-artifact.js';
import { startPostgres } from '../support/postgres-server.js';

const REWRITTEN = [
  'DOMAIN public.colour',
  'TABLE public.many',
  'VIEW public.guarded',
  'INDEX public.many_code',
  'TRIGGER public.many seldom',
];

test.each([15, 16, 17, 18])('every kind of object comes back on PostgreSQL %i', async (major) => {
  const origin = await startPostgres({ major, settings: { allow_in_place_tablespaces: 'on', timezone: 'Asia/Tokyo' } });
  onTestFinished(() => origin.stop());
  await makeEveryKind(origin);
  const login = await loginTo(origin, 'every');
  const artifact = await captureArtifact(login);
  const result = await drill(artifact, login.tools, { globalsPath: await dumpGlobals(origin) });
  expect(result).toEqual({
    outcome: 'verified',
    notes: [
      'tablespaces were made within the cluster: "Fast ""disk"""',
      ...REWRITTEN.map((name) => `only written in another way: ${name} differs in definition`),
    ],
    restoreMs: expect.any(Number) as number,
  });
});
