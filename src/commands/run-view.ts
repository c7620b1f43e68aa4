import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import type { PendingStep } from '../domain/pending-step.js';
import { RUN_PROGRESS_QUERY, TARGET_PHASE_QUERY, type RunProgress, type TargetPhase } from '../domain/steps.js';
import { isPartOf, targetWorkflowId } from '../domain/task-queues.js';
import type { TargetKind } from '../domain/target.js';
import { pendingSteps } from '../temporal/pending-steps.js';

const ANSWER_TIMEOUT_MS = 3_000;

export type TargetView = RunProgress['targets'][number] & { step?: PendingStep };

/** Where a run stands: what its workflow says, and what Temporal knows of the steps that are going on. */
export interface RunView extends RunProgress {
  targets: TargetView[];
  /** Of the run itself: plan, prune, report. */
  steps: PendingStep[];
  /** False while no worker answers for the run: it waits for one, and what is known of it may be old. */
  answered: boolean;
}

export interface ReadRunInput {
  client: Client;
  handle: WorkflowHandle;
  description: WorkflowExecutionDescription;
  /** What was known before: it stands where no worker answers. */
  last?: RunView;
}

/** One call after the other; only targets at work are asked about. */
export async function readRun({ client, handle, description, last }: ReadRunInput): Promise<RunView> {
  const progress = await orUndefined(client, () => handle.query<RunProgress>(RUN_PROGRESS_QUERY));
  const answered = progress !== undefined;
  const known = progress ?? lastKnown(description, last);
  const asked = new Map<string, boolean>();
  const steps = (await orUndefined(client, () => pendingSteps(client, description, asked))) ?? [];
  const atWork = await inParts(client, handle.workflowId, description);
  const service = handle.workflowId.slice(0, handle.workflowId.lastIndexOf('/run'));
  const targets: TargetView[] = [];
  for (const { target, kind, phase, result } of known.targets) {
    const row = { target, kind, phase, ...(result !== undefined && { result }) };
    const childId = targetWorkflowId({ service, kind, target });
    if (phase === 'done' || (phase === 'waiting' && !atWork.has(childId))) targets.push(row);
    else {
      const child = client.workflow.getHandle(childId);
      targets.push({
        ...row,
        ...(await readTarget({ client, handle: child, parent: handle.workflowId, asked, answered })),
      });
    }
  }
  return { ...known, targets, steps, answered };
}

/** A run knows of the targets in its parts only how they ended: the ids of those that are at work there. */
async function inParts(client: Client, run: string, { raw }: WorkflowExecutionDescription): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { workflowId } of raw.pendingChildren ?? []) {
    if (!workflowId || !isPartOf(run, workflowId)) continue;
    const part = await orUndefined(client, () => client.workflow.getHandle(workflowId).describe());
    for (const child of part?.raw.pendingChildren ?? []) found.add(child.workflowId ?? '');
  }
  return found;
}

interface ReadTargetInput extends Pick<ReadRunInput, 'client' | 'handle'> {
  parent: string;
  asked: Map<string, boolean>;
  answered: boolean;
}

async function readTarget(input: ReadTargetInput): Promise<Pick<TargetView, 'phase' | 'step'>> {
  const { client, handle, parent, asked, answered } = input;
  const description = await orUndefined(client, () => handle.describe());
  // Before a child is started, its id stands for the last one, or for that of another run.
  const parentId = description?.parentExecution?.workflowId ?? '';
  const isOurs = parentId === parent || isPartOf(parent, parentId);
  if (description === undefined || !isOurs) return { phase: 'capturing' };
  if (description.status.name !== 'RUNNING') return { phase: 'done' }; // what came of it its run says
  const steps = (await orUndefined(client, () => pendingSteps(client, description, asked))) ?? [];
  const step = steps.find(({ activity }) => activity in PHASES);
  if (step !== undefined) return { phase: PHASES[step.activity] ?? 'capturing', step };
  const phase = answered ? await orUndefined(client, () => handle.query<TargetPhase>(TARGET_PHASE_QUERY)) : undefined;
  return { phase: phase ?? 'capturing' };
}

const PHASES: Record<string, TargetPhase> = {
  captureTarget: 'capturing',
  copyArtifact: 'copying',
  verifyTarget: 'verifying',
};

/** Without a worker only Temporal itself can say which targets are at work. */
function lastKnown({ raw, workflowId }: WorkflowExecutionDescription, last?: RunView): RunProgress {
  const children = (raw.pendingChildren ?? []).map((child) => child.workflowId ?? '');
  const atWork = children
    .filter((id) => !isPartOf(workflowId, id))
    .map((id) => {
      const [target = '', kind] = id.split('/').reverse();
      return { target, kind: kind as TargetKind, phase: 'capturing' as const };
    });
  if (last === undefined) return { targets: atWork };
  const isAtWork = ({ target, kind }: TargetView) => atWork.some((t) => t.target === target && t.kind === kind);
  const targets = last.targets.map((row) =>
    row.phase === 'waiting' && isAtWork(row) ? { ...row, phase: 'capturing' as const } : row,
  );
  return { ...last, targets };
}

/** A question waits for a worker, and for ever where none lives. Undefined where there is no answer. */
async function orUndefined<T>(client: Client, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await client.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, ask);
  } catch {
    return undefined;
  }
}
