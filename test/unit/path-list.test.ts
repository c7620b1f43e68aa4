import { expect, test } from 'vitest';
import { relativePath, splitPaths } from '../../src/domain/path-list.js';

test.each([
  ['a,b/c', ['a', 'b/c']],
  ['with\\,comma,x', ['with,comma', 'x']],
  ['back\\\\,x', ['back\\', 'x']],
  ['a\\b', ['a\\b']],
  ['new\nline, space', ['new\nline', ' space']],
  ['*?[a]', ['*?[a]']],
])('%j is a list of paths', (list, paths) => {
  expect(splitPaths(list)).toEqual(paths);
});

test.each(['', ',a', 'a,', 'a,,b'])('%j is no list of paths', (list) => {
  expect(() => splitPaths(list)).toThrow('because it is no list of paths');
});

test.each([
  ['./a//b/', 'a/b'],
  ['-rf', '-rf'],
  ['...', '...'],
  ['a/./b', 'a/b'],
])('%j leads to %j in a volume', (path, relative) => {
  expect(relativePath(path)).toBe(relative);
});

test.each(['/etc', '../x', 'a/../b', '.', '', './', 'a\0b'])('%j leads to nothing in a volume', (path) => {
  expect(() => relativePath(path)).toThrow('cannot restore the path');
});
