import { ApplicationFailure } from '@temporalio/activity';
import type {
  CaptureTargetInput,
  CapturedArtifact,
  CopyArtifactInput,
  CopyResult,
  PruneDestinationInput,
  PruneResult,
} from '../domain/steps.js';
import { captureTarget } from '../steps/capture.js';
import { copyArtifact } from '../steps/copy.js';
import { pruneDestination } from '../steps/prune.js';
import type { ActivityDeps } from './deps.js';
import { runStep } from './step-runner.js';

export type HostActivities = ReturnType<typeof createHostActivities>;

/** What the worker of a host does, on the queue `backup-<host>`. */
export function createHostActivities({ runtime, runLog }: ActivityDeps) {
  return {
    async captureTarget(input: CaptureTargetInput): Promise<CapturedArtifact> {
      const rt = await runtime();
      const log = runLog(rt, input.run);
      const { redact } = rt;
      const options = { doing: `capture ${input.target.name}`, stallTimeoutMs: input.stallTimeoutMs, redact, log };
      return runStep(options, (step) => logged(log, input.target.name, () => captureTarget(rt, input, step)));
    },

    async copyArtifact(input: CopyArtifactInput): Promise<CopyResult> {
      const rt = await runtime();
      const log = runLog(rt, input.run);
      const doing = `copy ${input.target.name} to ${input.destination}`;
      return runStep({ doing, stallTimeoutMs: input.stallTimeoutMs, redact: rt.redact, log }, async (step, last) => {
        let movedAtMs = last.movedAtMs;
        const onProgress = (bytes: number) => {
          movedAtMs = Date.now();
          step.onProgress(bytes);
        };
        try {
          return await logged(log, input.target.name, () => copyArtifact(rt, input, { ...step, onProgress }));
        } catch (error) {
          if (step.signal.aborted || Date.now() - movedAtMs < input.retryForMs) throw error;
          throw givenUp(doing, input.retryForMs, error, rt.redact);
        }
      });
    },

    async pruneDestination(input: PruneDestinationInput): Promise<PruneResult> {
      const rt = await runtime();
      const log = runLog(rt, input.run);
      const hourMs = 3_600_000;
      const options = { doing: `prune ${input.destination}`, stallTimeoutMs: hourMs, redact: rt.redact, log };
      return runStep(options, (step) => pruneDestination(rt, input, step));
    },
  };
}

async function logged<T>(log: (line: string) => void, target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    log(`${target}: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
}

/** No attempt after this one: the next run's copies catch up. */
function givenUp(
  doing: string,
  retryForMs: number,
  error: unknown,
  redact: (text: string) => string,
): ApplicationFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `cannot ${doing}: because no byte was accepted for ${retryForMs / 1000} s: ${redact(reason)}`;
  const hint = 'the artifact is kept here; the next run copies it too';
  return ApplicationFailure.nonRetryable(`${message}\nHINT: ${hint}`, 'Stalled');
}
