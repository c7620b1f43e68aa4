import { randomInt } from 'node:crypto';
import { planPrune, type CatalogEntry, type PruneInput, type PruneLine } from '../../src/domain/retention.js';
import type { RetentionRules } from '../../src/domain/retention-rules.js';
import { VERIFICATION_FORMAT, type Verification } from '../../src/domain/verification.js';
import { aManifest, anEntry } from './manifest.js';
import { ORACLE_ZONES, verdictsOf } from './retention-oracle.js';
import { generator } from './seeded-sample.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LINE = aManifest();
const FAILED: Verification = {
  ...{ format: VERIFICATION_FORMAT, artifact: LINE.artifact.name, sha256: LINE.artifact.sha256 },
  results: { read: { outcome: 'failed', verifiedAt: '2026-11-24T07:00:00.000Z', durationMs: 1 } },
};
/** Where days, weeks and years begin, and clocks change. */
const EDGES = [
  ...['2025-03-09T05:30:00Z', '2025-03-30T01:00:00Z', '2025-10-26T01:00:00Z', '2025-11-02T04:30:00Z'],
  ...['2024-12-30T00:00:00Z', '2026-01-01T00:00:00Z', '2027-01-04T00:00:00Z', '2024-03-01T00:00:00Z'],
].map((text) => Date.parse(text));

/** Random catalogs of a destination, rules and pruning runs. */
export class RetentionStates {
  constructor(private readonly next: () => number) {}

  state(): PruneInput {
    const now = this.#now();
    const entries = this.#entries(now);
    const run = this.#run(entries);
    return {
      service: LINE.service,
      now: new Date(now),
      entries,
      lines: [this.#line()],
      ...(run !== undefined && { run }),
    };
  }

  #happens(percent: number): boolean {
    return this.next() * 100 < percent;
  }

  /** From 0. */
  #below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  #one<T>(items: readonly T[]): T | undefined {
    return items[this.#below(items.length)];
  }

  #now(): number {
    const edge = this.#one(EDGES) ?? 0;
    return this.#happens(50) ? edge + Math.round((this.next() - 0.3) * 3 * DAY_MS) : edge + this.#below(700) * DAY_MS;
  }

  #entries(now: number): CatalogEntry[] {
    const spread = [HOUR_MS, DAY_MS, 10 * DAY_MS, 90 * DAY_MS, 900 * DAY_MS][this.#below(5)] ?? DAY_MS;
    const count = this.#below(this.#happens(20) ? 30 : 12);
    const ages = Array.from({ length: count }, () => this.#below(spread));
    if (count > 1 && this.#happens(10)) ages[1] = ages[0] ?? 0;
    if (count > 0 && this.#happens(4)) ages[0] = -this.#below(spread);
    const troubled = [3, 3, 10, 40][this.#below(4)] ?? 3;
    return ages.map((ageMs, i) => this.#entry(now - ageMs, `20261124_${String(i).padStart(6, '0')}`, troubled));
  }

  #entry(moment: number, run: string, troubled: number): CatalogEntry {
    const changes = {
      ...(this.#happens(3) && { service: 'shire' }),
      ...(this.#happens(3) && { target: 'gondor' }),
      ...(this.#happens(3) && { target: 'MORDOR' }),
      ...(this.#happens(3) && { source: { kind: 'database', systemIdentifier: '1', database: 'mordor' } as const }),
      ...(this.#happens(troubled) && { suspicious: { reason: 'it shrank', inARow: 1 } }),
    };
    const entry = anEntry(
      { run, captureStartedAt: new Date(moment).toISOString(), ...changes },
      !this.#happens(troubled),
    );
    const pin = this.#happens(50) ? { note: 'before 2.0' } : {};
    return {
      ...entry,
      ...(this.#happens(troubled) && { verification: FAILED }),
      ...(this.#happens(troubled) && { pin }),
    };
  }

  #run(entries: readonly CatalogEntry[]): string | undefined {
    if (this.#happens(50)) return undefined;
    const newestFirst = [...entries].sort((a, b) =>
      a.manifest.captureStartedAt < b.manifest.captureStartedAt ? 1 : -1,
    );
    return (this.#happens(80) ? newestFirst[0] : this.#one(entries))?.manifest.run ?? 'none';
  }

  #line(): PruneLine {
    const { target, kind, source } = LINE;
    const retentionCount = 1 + this.#below(7);
    const broughtCount = this.#happens(80) ? 30 : this.#below(4);
    const rules = this.#rules();
    return { target, kind, source, retentionCount, broughtCount, ...(this.#happens(85) && { retention: rules }) };
  }

  #rules(): RetentionRules {
    const some = (rule: string, percent: number) => (this.#happens(percent) ? { [rule]: 1 + this.#below(6) } : {});
    return {
      timezone: this.#one(ORACLE_ZONES) ?? 'UTC',
      ...some('count', 60),
      ...some('daily', 40),
      ...some('weekly', 40),
      ...some('monthly', 40),
      ...some('yearly', 40),
      ...(this.#happens(25) && { minAgeMs: (1 + this.#below(12)) * DAY_MS * (this.#happens(50) ? 1 : 30) }),
    };
  }
}

export interface Compared {
  states: number;
  artifacts: number;
  removed: number;
  /** States in which something had to go and nothing was taken, aloud. */
  halted: number;
  /** By the first word of each. */
  heldBy: Record<string, number>;
}

/** Holds `planPrune` against the oracle; throws with the first state in which they differ. The printed TEST_SEED repeats it. */
export function compareWithOracle(count: number): Compared {
  const seed = Number(process.env['TEST_SEED'] ?? randomInt(1_000_000_000));
  const states = new RetentionStates(generator(seed));
  const compared: Compared = { states: count, artifacts: 0, removed: 0, halted: 0, heldBy: {} };
  for (let i = 0; i < count; i++) compareOne(states.state(), compared, `state ${i} of TEST_SEED=${seed}`);
  console.log(`retention against its oracle, TEST_SEED=${seed}: ${JSON.stringify(compared)}`);
  return compared;
}

function compareOne(state: PruneInput, compared: Compared, name: string): void {
  const plan = planPrune(state);
  const verdicts = verdictsOf(state);
  const fail = (what: string) => {
    throw new Error(`${name}: ${what}\n${JSON.stringify({ state, verdicts: [...verdicts.values()], plan }, null, 1)}`);
  };
  const isHalted = plan.warnings.length > 0;
  const decided = [
    ...plan.keep.map((d) => ({ ...d, isKept: true })),
    ...plan.remove.map((d) => ({ ...d, isKept: false })),
  ];
  if (decided.length !== state.entries.length || new Set(decided.map((d) => d.entry)).size !== decided.length) {
    fail('not every entry is decided once');
  }
  for (const { entry, reason, isKept } of decided) {
    const verdict = verdicts.get(entry);
    if (verdict?.isKept !== isKept) fail(`${entry.manifest.run} is ${isKept ? 'kept' : 'removed'}: ${reason}`);
    if (isHalted || verdict === undefined || verdict.rules.length === 0) continue;
    if (verdict.rules.join('; ') !== reason) fail(`${entry.manifest.run} is kept for another reason: ${reason}`);
    for (const rule of verdict.rules) {
      const word = rule.split(/[ :]/, 1)[0] ?? '';
      compared.heldBy[word] = (compared.heldBy[word] ?? 0) + 1;
    }
  }
  compared.artifacts += decided.length;
  compared.removed += plan.remove.length;
  if (isHalted) compared.halted += 1;
}
