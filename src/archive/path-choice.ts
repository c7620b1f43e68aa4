import type { ArchiveEntry } from './entry.js';

const MOST_SIBLINGS = 1000;
const MOST_NAMESAKES = 3;

/** Names like one that is not there. */
export interface Near {
  /** Paths that end alike, whatever their case. */
  namesakes: string[];
  /** What lies in the directory where it was looked for. */
  siblings: string[];
}

/** Chooses by paths, literally: each of them with all below it, and the directories above. Paths are bytes, as those of entries. */
export class PathChoice {
  readonly #wanted: Set<string>;
  readonly #parents: Set<string>;
  readonly #missing: Map<string, Near>;

  /** Without `./` before and `/` behind. */
  constructor(paths: readonly string[]) {
    this.#wanted = new Set(paths);
    this.#parents = new Set(paths.flatMap(directoriesAbove));
    this.#missing = new Map(paths.map((path) => [path, { namesakes: [], siblings: [] }]));
  }

  includes(path: string): boolean {
    return this.#wanted.has(path) || directoriesAbove(path).some((directory) => this.#wanted.has(directory));
  }

  /** Whether an entry belongs to it; takes note of it as found, or as near. */
  take({ path, type }: ArchiveEntry): boolean {
    this.#missing.delete(path);
    for (const [wanted, near] of this.#missing) noteNear(near, wanted, path);
    return this.includes(path) || (type === 'directory' && this.#parents.has(path));
  }

  /** After all entries: which were not there, and what is like them. */
  get missing(): ReadonlyMap<string, Near> {
    return this.#missing;
  }
}

/** All above it, the top as `.` the first. */
function directoriesAbove(path: string): string[] {
  const above = ['.'];
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
    above.push(path.slice(0, slash));
  return path === '.' ? [] : above;
}

function noteNear({ namesakes, siblings }: Near, wanted: string, path: string): void {
  const slash = path.lastIndexOf('/');
  if (path.slice(0, slash + 1) === wanted.slice(0, wanted.lastIndexOf('/') + 1) && siblings.length < MOST_SIBLINGS)
    siblings.push(path);
  if (namesakes.length >= MOST_NAMESAKES) return;
  const name = wanted.slice(wanted.lastIndexOf('/') + 1);
  if (path.length - slash - 1 === name.length && path.slice(slash + 1).toLowerCase() === name.toLowerCase())
    namesakes.push(path);
}
