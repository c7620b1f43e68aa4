import type { Destination } from '../destinations/destination.js';
import type { Manifest } from '../domain/manifest.js';
import type { Restored, RestoreFacts, RestoreParts } from '../domain/restore-plan.js';
import type { ConfiguredTarget } from './configured-target.js';
import type { RestoreJournal } from './restore-journal.js';
import type { StepContext } from './step.js';

/** What makes one kind of thing out of an artifact. */
export interface Restorer {
  /** Refuses what is certain to fail, and tells what is to be expected, before bytes are read or fetched. */
  plan(step: StepContext): Promise<RestoreFacts>;
  restore(artifactPath: string, step: StepContext): Promise<Restored>;
  /** What came of it where an attempt of this restore did all of it, and was killed before it could say so. */
  findDone(step: StepContext): Promise<Restored | undefined>;
  /** Removes what attempts of this restore left that were killed, so that everything is as it was before them. */
  sweep(step: StepContext): Promise<void>;
}

/** What stands in the names of things that are not whole yet, so that a later attempt finds what an earlier one left. */
export interface RestoreTokens {
  /** 8 hexadecimal digits, the same in each attempt of a restore. */
  restoreToken: string;
  /** That, and 4 digits of the attempt. */
  attemptToken: string;
}

export interface RestorerInput extends RestoreTokens {
  /** When the restore began, the same in each of its attempts: what it replaces is named by it. */
  startedAt: Date;
  /** What the next attempt has to know if this one is killed. */
  journal: RestoreJournal;
  manifest: Manifest;
  into: string;
  /** Replaces what is there, which stays under another name. */
  inPlace: boolean;
  parts: RestoreParts;
  noOwner: boolean;
  withRoles: boolean;
  /** Where globals are looked for. */
  destinations: readonly Destination[];
  /** At once, of a dump in custom format. */
  jobs: number | undefined;
  configured: ConfiguredTarget | undefined;
}
