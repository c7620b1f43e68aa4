import type { BackupTargetResult, BroughtTarget, RunProgress } from '../domain/steps.js';
import type { RunPlan, RunReport } from '../domain/run.js';
import type { Target, TargetKind } from '../domain/target.js';
import type { TargetResult } from '../domain/outcome.js';
import { unfinished, type Unfinished } from './settle-target.js';
import { RunDetails } from './run-details.js';

type Row = RunProgress['targets'][number];

/** What is known of the targets of a running run, for its query and its report. */
export class RunState {
  readonly progress: RunProgress = { targets: [] };
  readonly brought: BroughtTarget[] = [];
  /** Of the directories that something was captured to, by host. */
  readonly directoryIds: Record<string, string> = {};
  readonly #rows = new Map<string, Row>();
  readonly #details = new RunDetails();
  #deadlinePassed = false;

  /** `show` gets Markdown for people at each change. */
  constructor(private readonly show: (details: string) => void = () => undefined) {
    this.#show();
  }

  planned(plan: RunPlan): void {
    this.progress.run = plan.run;
    for (const { name, kind } of plan.targets) this.#add({ target: name, kind, phase: 'waiting' });
    for (const { target, kind, host, error } of plan.refused) {
      const result: TargetResult = { target, kind, ...(host !== undefined && { host }), outcome: 'failed', error };
      this.#add({ target, kind, phase: 'done', result });
    }
    this.#show();
  }

  started(target: Target): void {
    this.#change(target.name, target.kind, { phase: 'capturing' });
  }

  settle(result: TargetResult): void {
    this.#change(result.target, result.kind, { phase: 'done', result });
  }

  settleChild(host: string, { result, brought, directoryId }: BackupTargetResult): void {
    this.settle(result);
    if (brought !== undefined) this.brought.push(brought);
    if (directoryId !== undefined) this.directoryIds[host] = directoryId;
  }

  deadlinePassed(): void {
    this.#deadlinePassed = true;
  }

  /** What a cancelled target counts as: failed where its time was up, cancelled where a person asked for it. */
  unfinished(step: 'start' | 'finish'): Unfinished {
    return unfinished(step, { isLate: this.#deadlinePassed });
  }

  finished(report: RunReport): void {
    this.progress.report = report;
    this.#show();
  }

  /** In the order of the plan. */
  get results(): TargetResult[] {
    return this.progress.targets.flatMap((row) => row.result ?? []);
  }

  #add(row: Row): void {
    this.progress.targets.push(row);
    this.#rows.set(`${row.kind}/${row.target}`, row);
    this.#details.set(row);
  }

  #change(target: string, kind: TargetKind, change: Partial<Row>): void {
    const row = this.#rows.get(`${kind}/${target}`);
    if (row === undefined) throw new Error(`no target ${target} in this run`);
    this.#details.set(Object.assign(row, change));
    this.#show();
  }

  #show(): void {
    this.show(this.#details.render(this.progress));
  }
}
