import type { VerifyPolicy } from '../domain/target.js';
import { parseSchedule } from './cron.js';
import { choice, parsed } from './schema-leaves.js';

const NEVER = 'never';
const AFTER_RUN = 'after_run';

/** The keys of `backup_config`, and of each target, that say whether its newest artifact is verified by itself. */
export function verifyKeys(defaults: { verify: string; verify_method: string; verify_from: string }) {
  return {
    verify: parsed(
      {
        description:
          'When the newest artifact is verified by itself: `after_run`, on a cron of its own, or `never`. After a run one that fails fails its target.',
        expects: '`after_run`, `never` or a cron expression',
        default: defaults.verify,
        example: '0 6 * * *',
      },
      (value) => value === NEVER || value === AFTER_RUN || parseSchedule(value),
    ).optional(),
    verify_method: choice(['drill', 'read'], {
      description:
        '`drill` restores it into something that is thrown away and compares; `read` reads every byte back, to the end of the dump or archive.',
      default: defaults.verify_method,
      example: 'read',
    }).optional(),
    verify_from: choice(['local', 's3'], {
      description: 'Where the copy lies that is verified.',
      default: defaults.verify_from,
      example: 's3',
    }).optional(),
  };
}

export interface VerifyInput {
  verify?: string | undefined;
  verify_method?: VerifyPolicy['method'] | undefined;
  verify_from?: VerifyPolicy['from'] | undefined;
}

/** What a target says itself, else what `backup_config` says; undefined: it is never verified by itself. */
export function verifyPolicy(own: VerifyInput, common: VerifyInput): VerifyPolicy | undefined {
  const when = own.verify ?? common.verify ?? NEVER;
  if (when === NEVER) return undefined;
  return {
    ...(when !== AFTER_RUN && { cron: when }),
    method: own.verify_method ?? common.verify_method ?? 'drill',
    from: own.verify_from ?? common.verify_from ?? 'local',
  };
}

/** What is wrong with `verify_from`, if so: a place that the file does not name. */
export function verifyFromProblem({ verify_from: from }: VerifyInput, hasBucket: boolean): string | undefined {
  return from === 's3' && !hasBucket ? 's3 is no destination: backup_config.s3_bucket is not set' : undefined;
}
