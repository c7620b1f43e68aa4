import { CancelledFailure } from '@temporalio/activity';
import { BackupError } from '../domain/errors.js';
import type {
  CaptureTargetInput,
  CapturedArtifact,
  CopyArtifactInput,
  CopyResult,
  PruneDestinationInput,
  PruneResult,
  ReportRunInput,
} from '../domain/steps.js';
import type { RestoredTarget, RestorePlan } from '../domain/restore-plan.js';
import type { RestoreStepInput } from '../domain/restore-target.js';
import { verdictText, type VerifyTargetInput, type VerifyTargetResult } from '../domain/verify-run.js';
import { captureTarget } from '../steps/capture.js';
import { copyArtifact } from '../steps/copy.js';
import { pruneDestination } from '../steps/prune.js';
import { refusing } from '../steps/restore-refusal.js';
import { attemptRestore, planRestore } from '../steps/restore.js';
import { recordRun } from '../steps/report.js';
import { verifyTarget } from '../steps/verify-target.js';
import type { ActivityDeps } from './deps.js';
import { captureDemands, copyDemands, verifyDemands } from './slot-demands.js';
import { runStep } from './step-runner.js';

const MINUTE_MS = 60_000;

export type HostActivities = ReturnType<typeof createHostActivities>;

/** What the worker of a host does, on the queue `backup-<host>`. */
export function createHostActivities({ runtime, runLog, log: workerLog, slots }: ActivityDeps) {
  return {
    async captureTarget(input: CaptureTargetInput): Promise<CapturedArtifact> {
      const rt = await runtime();
      const log = runLog(rt, input.run);
      const { redact } = rt;
      const { target, stallTimeoutMs } = input;
      const { name, timeoutMs } = target;
      const wait = { slots, demands: captureDemands(rt.config.backup.limits, target), name };
      const options = { doing: `capture ${name}`, stallTimeoutMs, timeoutMs, redact, log, wait };
      return runStep(options, (step) => logged(log, name, () => captureTarget(rt, input, step)));
    },

    async copyArtifact(input: CopyArtifactInput): Promise<CopyResult> {
      const rt = await runtime();
      const log = runLog(rt, input.run);
      const doing = `copy ${input.target.name} to ${input.destination}`;
      const { stallTimeoutMs, retryForMs, deadlineAt, destination: to } = input;
      const { name, timeoutMs } = input.target;
      const wait = { slots, demands: copyDemands(rt.config.backup.limits, to), name };
      const options = { doing, to, stallTimeoutMs, timeoutMs, retryForMs, redact: rt.redact, log, wait };
      return runStep(options, (step) => {
        // The run's deadline cancels too, but then the next run goes on with what was sent.
        const isCancelled = () => step.isCancelled() && Date.now() < Date.parse(deadlineAt);
        return logged(log, name, () => copyArtifact(rt, input, { ...step, isCancelled }));
      });
    },

    async verifyTarget(input: VerifyTargetInput): Promise<VerifyTargetResult> {
      const rt = await runtime();
      const { target, run, stallTimeoutMs, timeoutMs } = input;
      const log = run === undefined ? (line: string) => workerLog(rt.redact(line)) : runLog(rt, run);
      const wait = { slots, demands: verifyDemands(rt.config.backup.limits), name: target };
      const options = { doing: `verify ${target}`, stallTimeoutMs, timeoutMs, redact: rt.redact, log, wait };
      return runStep(options, async (step) => {
        const result = await logged(log, target, () => verifyTarget(rt, input, step));
        log(verdictText(result));
        return redacted(result, rt.redact);
      });
    },

    async planRestore({ request, stallTimeoutMs, ...attempt }: RestoreStepInput): Promise<RestorePlan> {
      const rt = await runtime();
      const log = (line: string) => workerLog(rt.redact(line));
      const options = { doing: `plan the restore of ${request.target}`, stallTimeoutMs, redact: rt.redact, log };
      return runStep(options, async (step) => {
        const plan = await logged(log, request.target, () =>
          refusing(() => planRestore(rt, { ...request, ...attempt }, step)),
        );
        return { ...plan, warnings: plan.warnings.map(rt.redact) };
      });
    },

    async restoreTarget({ request, stallTimeoutMs, ...attempt }: RestoreStepInput): Promise<RestoredTarget> {
      const rt = await runtime();
      const { target } = request;
      const log = (line: string) => workerLog(rt.redact(line));
      return runStep({ doing: `restore ${target}`, stallTimeoutMs, redact: rt.redact, log }, async (step) => {
        const input = { ...request, ...attempt };
        const restored = await logged(log, target, () => refusing(() => attemptRestore(rt, input, step)));
        return { ...restored, warnings: restored.warnings.map(rt.redact) };
      });
    },

    async pruneDestination(input: PruneDestinationInput): Promise<PruneResult> {
      const rt = await runtime();
      const log = runLog(rt, input.run);
      const options = { doing: `prune ${input.destination}`, stallTimeoutMs: 60 * MINUTE_MS, redact: rt.redact, log };
      return runStep(options, (step) => pruneDestination(rt, input, step));
    },

    /** What the orchestrator's `reportRun` leaves, in the directory of a further host. */
    async recordRun(input: ReportRunInput): Promise<void> {
      const rt = await runtime();
      const log = runLog(rt, input.plan.run);
      const options = { doing: `record ${input.plan.run}`, stallTimeoutMs: MINUTE_MS, redact: rt.redact, log };
      await runStep(options, () => recordRun(rt, input));
      log(`run ${input.plan.run}: ${input.report.outcome}`);
    },
  };
}

/** Reasons and notes quote what programs said. */
function redacted(result: VerifyTargetResult, redact: (text: string) => string): VerifyTargetResult {
  const { reason, notes } = result;
  return { ...result, ...(reason !== undefined && { reason: redact(reason) }), notes: notes.map(redact) };
}

async function logged<T>(log: (line: string) => void, target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    log(`${target}: ${interruptionOrReason(error)}`);
    throw error;
  }
}

/** Whoever cancels a run says so; the end of a worker is nobody's wish. */
function interruptionOrReason(error: unknown): string {
  if (error instanceof CancelledFailure) return 'interrupted';
  if (error instanceof BackupError && error.code === 'Cancelled') return 'interrupted';
  return error instanceof Error ? error.message : String(error);
}
