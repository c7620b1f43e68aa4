import type { SlotSetting } from '../domain/heartbeat.js';

/** One of the slots that an attempt needs before it begins. */
export interface SlotDemand {
  setting: SlotSetting;
  /** What the limit is counted over: attempts with the same one share its slots. */
  of: string;
  /** How many there are, as the configuration says now: for those that wait already too. */
  limit: number;
}

export interface TakeInput {
  /** Ends the wait; its reason is thrown. */
  signal: AbortSignal;
  /** Told of each demand that has to wait, once. */
  onWaiting: (demand: SlotDemand) => void;
}

/** Limits over all that goes on in this process. Who waits is served in the order of coming. */
export class Slots {
  readonly #pools = new Map<string, Pool>();

  /**
   * Takes one slot of each demand, in the order given, which has to be the same for all: so nobody waits for each other. Returns what gives
   * them back.
   */
  async take(demands: readonly SlotDemand[], { signal, onWaiting }: TakeInput): Promise<() => void> {
    const taken: Pool[] = [];
    const giveBack = () => {
      for (const pool of taken.splice(0)) pool.giveBack();
    };
    try {
      for (const demand of demands) {
        const pool = this.#poolOf(demand);
        if (!pool.tryTake()) {
          onWaiting(demand);
          await pool.wait(signal);
        }
        taken.push(pool);
      }
    } catch (error) {
      giveBack();
      throw error;
    }
    return giveBack;
  }

  #poolOf({ setting, of, limit }: SlotDemand): Pool {
    const key = `${setting} ${of}`;
    const pool = this.#pools.get(key) ?? new Pool();
    this.#pools.set(key, pool);
    pool.resize(limit);
    return pool;
  }
}

class Pool {
  readonly #waiting = new Set<() => void>();
  #limit = 0;
  #taken = 0;

  resize(limit: number): void {
    this.#limit = limit;
    this.#serve();
  }

  /** Nobody overtakes those that wait: they are served before anybody can ask, so none is free while they do. */
  tryTake(): boolean {
    if (this.#taken >= this.#limit) return false;
    this.#taken += 1;
    return true;
  }

  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal.reason as Error);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(enter);
    });
  }

  giveBack(): void {
    this.#taken -= 1;
    this.#serve();
  }

  #serve(): void {
    for (const enter of this.#waiting) {
      if (this.#taken >= this.#limit) return;
      this.#waiting.delete(enter);
      this.#taken += 1;
      enter();
    }
  }
}
