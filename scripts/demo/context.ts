import type { Screen } from './screen.js';
import type { Secrets } from './secrets.js';
import type { Teardown } from './teardown.js';

/** What every part of the demo is given. */
export interface DemoContext {
  /** A name that no other demo has. */
  service: string;
  secrets: Secrets;
  screen: Screen;
  teardown: Teardown;
  /** Ends the demo at the next step, and a command that runs at once. */
  signal: AbortSignal;
}
