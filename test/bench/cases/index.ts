import type { BenchCase } from '../bench-case.js';
import { database } from './database.js';
import { killUpload } from './kill-upload.js';

/** In the order of the table. */
export const CASES: readonly BenchCase[] = [database, killUpload];
