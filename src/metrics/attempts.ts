import { ApplicationFailure } from '@temporalio/common';
import type { HostActivities } from '../activities/host.js';
import { WORKER_SHUTDOWN } from '../domain/task-queues.js';

export const STEPS = ['capture', 'copy', 'verify'] as const;
export type StepName = (typeof STEPS)[number];

/** What became of the attempts at captures, copies and verifications in this process. */
export class Attempts {
  readonly #failed = new Map<string, number>();
  readonly #stalled = new Map<string, number>();
  readonly #running = new Map<string, number>();

  get runningTargets(): number {
    return [...this.#running.values()].filter((count) => count > 0).length;
  }

  failedOf(target: string, step: StepName): number {
    return this.#failed.get(`${step} ${target}`) ?? 0;
  }

  stalledOf(target: string): number {
    return this.#stalled.get(target) ?? 0;
  }

  /** The same activities, counted. What is cancelled or handed to another worker has not failed. */
  counting(activities: HostActivities): HostActivities {
    return {
      ...activities,
      captureTarget: (input) => this.#count(input.target.name, 'capture', () => activities.captureTarget(input)),
      verifyTarget: (input) => this.#count(input.target, 'verify', () => activities.verifyTarget(input)),
      copyArtifact: (input) => this.#count(input.target.name, 'copy', () => activities.copyArtifact(input)),
    };
  }

  async #count<T>(target: string, step: StepName, attempt: () => Promise<T>): Promise<T> {
    add(this.#running, target, 1);
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type !== WORKER_SHUTDOWN)
        add(this.#failed, `${step} ${target}`, 1);
      if (error instanceof ApplicationFailure && error.type === 'Stalled') add(this.#stalled, target, 1);
      throw error;
    } finally {
      add(this.#running, target, -1);
    }
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
