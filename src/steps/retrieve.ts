import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileFacts } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import { digestFile } from '../pipeline/digest.js';
import type { Runtime } from '../runtime.js';
import { locationOf, type FoundArtifact } from './list-artifacts.js';
import type { StepContext } from './step.js';

/** Download directories begin with it. */
const SCRATCH_PREFIX = '.restore-';
