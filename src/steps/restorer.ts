import type { Destination } from '../destinations/destination.js';
import type { Manifest } from '../domain/manifest.js';
import type { ConfiguredTarget } from './configured-target.js';
import type { StepContext } from './step.js';

/** What makes one kind of thing out of an artifact. */
export interface Restorer {
  /** Refuses what is certain to fail, before bytes are read or fetched. */
  requireRestorable(step: StepContext): Promise<void>;
  restore(artifactPath: string, step: StepContext): Promise<Restored>;
}

export interface Restored {
  warnings: string[];
  /** Those that were made for it. */
  madeRoles?: string[];
}

export interface RestorerInput {
  manifest: Manifest;
  into: string;
  noOwner: boolean;
  withRoles: boolean;
  /** Where globals are looked for. */
  destinations: readonly Destination[];
  /** At once, of a dump in custom format. */
  jobs: number | undefined;
  configured: ConfiguredTarget | undefined;
}
