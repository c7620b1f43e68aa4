import type { BenchCase } from '../bench-case.js';
import { database } from './database.js';
import { eightDatabases } from './eight-databases.js';
import { idle } from './idle.js';
import { killUpload } from './kill-upload.js';
import { latency } from './latency.js';
import { memory } from './memory.js';
import { restore } from './restore.js';
import { tinyTargets } from './tiny-targets.js';
import { upload } from './upload.js';
import { volume, volumeGzip } from './volume.js';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [
  database,
  eightDatabases,
  volume,
  volumeGzip,
  restore,
  killUpload,
  upload,
  latency,
  memory,
  idle,
  tinyTargets,
];
