import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createRedactor } from '../src/config/secrets.js';
import { showAddresses } from './demo/addresses.js';
import type { DemoContext } from './demo/context.js';
import { listenForInterrupts, untilAborted } from './demo/interrupt.js';
import { makeRoundTrip } from './demo/round-trip.js';
import { Screen } from './demo/screen.js';
import { makeSecrets, secretTexts } from './demo/secrets.js';
import { setUpStage, type Stage } from './demo/stage.js';
import { Teardown } from './demo/teardown.js';

const USAGE = `usage: npm run demo [-- --keep]
  --keep   leave everything up until Ctrl-C, and say how to use it
`;
const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 };

const keep = readArguments();
process.exitCode = keep === undefined ? EXIT.usage : await demonstrate(keep);

/** Whether everything is to be left up; undefined where the arguments make no sense. */
function readArguments(): boolean | undefined {
  try {
    return parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values.keep;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${USAGE}`);
    return undefined;
  }
}

async function demonstrate(keepsUp: boolean): Promise<number> {
  const secrets = makeSecrets();
  const context: DemoContext = {
    service: `backup-demo-${randomBytes(4).toString('hex')}`,
    secrets,
    screen: new Screen(createRedactor(() => secretTexts(secrets))),
    teardown: new Teardown(),
    signal: listenForInterrupts(),
  };
  const { code, stage, proved } = await play(context);
  if (keepsUp && stage !== undefined) {
    showProof(context, proved);
    showAddresses(context.screen, stage);
    await untilAborted(context.signal);
  }
  if (!(await tearDown(context))) return EXIT.failed;
  if (!keepsUp) showProof(context, proved);
  return code;
}

interface Ending {
  code: number;
  /** Where it stands and may be kept. */
  stage?: Stage;
  /** Empty unless all went well. */
  proved: readonly string[];
}

async function play(context: DemoContext): Promise<Ending> {
  const { screen, signal } = context;
  let stage: Stage | undefined;
  try {
    screen.title('Databases and a Docker volume, backed up and restored by this service, on servers of its own.');
    stage = await setUpStage(context);
    return { code: EXIT.done, stage, proved: await makeRoundTrip(context, stage) };
  } catch (error) {
    // A program that got the same Ctrl-C has failed, which is nothing to tell.
    if (signal.aborted) return { code: EXIT.interrupted, proved: [] };
    screen.problem(`The demo failed: ${messageOf(error)}`);
    return { code: EXIT.failed, ...(stage && { stage }), proved: [] };
  }
}

/** Whether nothing was left behind. */
async function tearDown({ screen, teardown }: DemoContext): Promise<boolean> {
  screen.step('Taking it all down');
  const failures = await teardown.run();
  if (failures.length > 0) {
    screen.problem(failures.join('\n'));
    return false;
  }
  screen.line('Everything that was started has ended, and everything that was made is removed.');
  for (const what of teardown.kept) screen.line(`Kept: ${what}.`);
  return true;
}

function showProof({ screen }: DemoContext, proved: readonly string[]): void {
  if (proved.length === 0) return;
  screen.heading('Proved');
  for (const line of proved) screen.line(line);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
