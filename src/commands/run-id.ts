import { InvalidArgumentError } from 'commander';
import { RUN_PATTERN } from '../domain/names.js';

/** Reads the id of a run, an option's value. */
export function runIdOf(text: string): string {
  if (RUN_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('Expected the id of a run, such as 20261124_030000.');
}
