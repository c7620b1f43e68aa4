import type { TargetOutcome } from '../domain/outcome.js';
import { formatBytes } from '../domain/quantities.js';
import type { CapturedArtifact, TargetPhase } from '../domain/steps.js';
import type { TargetKind } from '../domain/target.js';
import { plainLine } from './markdown.js';

export interface TargetDetailsInput {
  name: string;
  kind: TargetKind;
  run: string;
  /** What is going on, or what became of it. */
  phase: Exclude<TargetPhase, 'waiting' | 'done'> | TargetOutcome;
  captured?: Pick<CapturedArtifact, 'artifact' | 'sizeBytes'> | undefined;
  errors?: readonly string[];
}

/** What the Web UI shows of one target in a run, as Markdown. */
export function targetDetails({ name, kind, run, phase, captured, errors = [] }: TargetDetailsInput): string {
  const artifact = captured && `- ${plainLine(captured.artifact)}, ${formatBytes(captured.sizeBytes)}`;
  const lines = [...(artifact === undefined ? [] : [artifact]), ...errors.map((error) => `- ${plainLine(error)}`)];
  const head = `**${plainLine(name)}** (${kind}) in run ${run}: ${phase}`;
  return [head, ...(lines.length > 0 ? ['', ...lines] : [])].join('\n');
}
