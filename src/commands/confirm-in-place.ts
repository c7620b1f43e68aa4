import type { Config } from '../config/config.js';
import { BackupError } from '../domain/errors.js';
import { isMountedVolume, isNamedVolume, type Target } from '../domain/target.js';
import { findConfigured } from '../steps/configured-target.js';

export interface Confirmation {
  target: string;
  /** What `--confirm` said. */
  confirm: string | undefined;
}

/** Replacing needs the target's name a second time: a line from a shell's history may hold another one. Error: ConfigInvalid. */
export function requireConfirmed(config: Config, { target, confirm }: Confirmation): void {
  const configured = findConfigured(config, target);
  const name = configured?.name ?? target;
  if (confirm === name) return;
  const what = configured?.state.is === 'enabled' ? placeText(configured.state.target) : 'what its entry names';
  const said = confirm === undefined ? 'that needs `--confirm`' : `\`--confirm\` says ${confirm}`;
  throw new BackupError('ConfigInvalid', `cannot restore ${name} in place: because ${said}`, {
    hint: `it replaces ${what}, which stays under another name (…_before_<moment>): say so by \`--confirm ${name}\`, or restore beside it with \`--into NAME\``,
  });
}

function placeText(target: Target): string {
  if (target.kind === 'database') {
    const { host, port, database } = target.connection;
    return `the database ${database} on ${host}:${String(port)}`;
  }
  if (isMountedVolume(target)) return `the directory ${target.path}`;
  return isNamedVolume(target) ? `the volume ${target.volumeName}` : target.name;
}
