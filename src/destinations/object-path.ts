/** Refuses what could leave a destination's root or mean two things: a mistake in our code, never in anybody's input. */
export function checkedPath(path: string): string {
  const parts = path.split('/');
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part));
  if (!isPlain) throw new TypeError(`not a path within a destination: ${JSON.stringify(path)}`);
  return path;
}
