import type { BroughtTarget, RunProgress } from '../domain/steps.js';
import type { RunPlan, RunReport } from '../domain/run.js';
import type { Target, TargetKind } from '../domain/target.js';
import type { TargetResult } from '../domain/outcome.js';

/** What is known of the targets of a running run, for its query and its report. */
export class RunState {
  readonly progress: RunProgress = { targets: [] };
  readonly brought: BroughtTarget[] = [];
  #deadlinePassed = false;

  planned(plan: RunPlan): void {
    this.progress.run = plan.run;
    for (const { name, kind } of plan.targets) this.progress.targets.push({ target: name, kind, phase: 'waiting' });
    for (const { target, kind, error } of plan.refused) {
      const result: TargetResult = { target, kind, outcome: 'failed', error };
      this.progress.targets.push({ target, kind, phase: 'done', result });
    }
  }

  started(target: Target): void {
    this.#row(target.name, target.kind).phase = 'capturing';
  }

  settle(result: TargetResult, brought?: BroughtTarget): void {
    Object.assign(this.#row(result.target, result.kind), { phase: 'done', result });
    if (brought !== undefined) this.brought.push(brought);
  }

  deadlinePassed(): void {
    this.#deadlinePassed = true;
  }

  /** What a cancelled target counts as: failed where its time was up, cancelled where a person asked for it. */
  unfinished(step: 'start' | 'finish'): Pick<TargetResult, 'outcome' | 'error'> {
    if (!this.#deadlinePassed) return { outcome: 'cancelled', error: 'cancelled with its run' };
    return { outcome: 'failed', error: `cannot ${step}: because the run's deadline passed` };
  }

  finished(report: RunReport): void {
    this.progress.report = report;
  }

  /** In the order of the plan. */
  get results(): TargetResult[] {
    return this.progress.targets.flatMap((row) => row.result ?? []);
  }

  #row(target: string, kind: TargetKind) {
    const row = this.progress.targets.find((r) => r.target === target && r.kind === kind);
    if (row === undefined) throw new Error(`no target ${target} in this run`);
    return row;
  }
}
