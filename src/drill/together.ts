/** Two pieces of work at once; where one fails the other is ended, and awaited, before that one's error is thrown. */
export async function together<A, B>(
  signal: AbortSignal,
  start: (signal: AbortSignal) => [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  const failed = new AbortController();
  const works = start(AbortSignal.any([signal, failed.signal]));
  let first: unknown;
  for (const work of works)
    work.catch((error: unknown) => {
      if (failed.signal.aborted) return;
      first = error;
      failed.abort();
    });
  const [one, other] = await Promise.allSettled(works);
  if (one.status === 'fulfilled' && other.status === 'fulfilled') return [one.value, other.value];
  throw first;
}
