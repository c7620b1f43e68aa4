import { readFileSync } from 'node:fs';

/** The version of the package that this file is part of: package.json lies beside `dist`, wherever a link to it points from. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
