import { normalize } from 'node:path';

/** An absolute path as it is compared: without `.`, `..`, doubled slashes and a slash at its end. */
export function normalPath(path: string): string {
  return normalize(path).replace(/(?<=.)\/+$/, '');
}

/** Whether `path` is `directory` or lies in it; both are normal. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || directory === '/' || path.startsWith(`${directory}/`);
}
