import type { BenchCase } from '../bench-case.js';
import { database } from './database.js';
import { killUpload } from './kill-upload.js';
import { volume, volumeGzip } from './volume.js';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [database, volume, volumeGzip, killUpload];
