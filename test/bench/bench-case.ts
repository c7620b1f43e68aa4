import type { Row } from './row.js';
import type { Stage } from './stage.js';

/** One thing that is measured, with all that it needs on a stage: it makes its data, measures in turn with its references, and tells rows. */
export interface BenchCase {
  /** For `--only`. */
  name: string;
  measure(stage: Stage): Promise<Row[]>;
}
