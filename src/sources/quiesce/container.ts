import type { QuiesceHow } from '../../domain/target.js';
import { docker, inspectObject } from '../docker/docker.js';
import type { ContainerMount } from '../docker/helper-mount.js';
import type { QuiesceRecord, RecordedContainer } from './record.js';

/** What `docker inspect` shows of one. */
export interface InspectedContainer {
  Id: string;
  /** With a slash before it. */
  Name: string;
  State: { Status: string; StartedAt: string; FinishedAt: string };
  HostConfig: { AutoRemove: boolean };
  Config: { StopTimeout?: number | null };
  Mounts: ContainerMount[];
}

/** What the engine gives a container that says nothing. */
const GRACE_SECONDS = 10;
/** The engine's own work, beyond what it waits for. */
const ENGINE_MS = 120_000;
/** How much longer than its grace a stop that nobody waits for any more may be under way. */
const LATE_MS = 15_000;

export function inspectContainer(nameOrId: string): Promise<InspectedContainer | undefined> {
  return inspectObject<InspectedContainer>('container', nameOrId);
}

export function nameOf({ Name }: InspectedContainer): string {
  return Name.replace(/^\//, '');
}

export function recordOf(container: InspectedContainer): RecordedContainer {
  const { Id: id, State, Config } = container;
  const graceSeconds = Config.StopTimeout ?? GRACE_SECONDS;
  return { id, name: nameOf(container), startedAt: State.StartedAt, graceSeconds };
}

export interface TakenDown extends RecordedContainer {
  finishedAt: string;
}

/** Brings one down, and waits for it as long as its own grace says: a stop that was begun cannot be taken back. */
export async function takeDown(how: QuiesceHow, container: RecordedContainer): Promise<TakenDown> {
  const { id, graceSeconds } = container;
  const timeLimit = graceSeconds < 0 ? 'none' : graceSeconds * 1000 + ENGINE_MS;
  await docker({ args: [how, id], timeLimit });
  const state = (await inspectContainer(id))?.State;
  return { ...container, finishedAt: state?.FinishedAt ?? '' };
}

/** What happened to a container that had to stay down; undefined where it did. */
export async function whatWokeIt(how: QuiesceHow, container: TakenDown): Promise<string | undefined> {
  const state = (await inspectContainer(container.id))?.State;
  if (state === undefined) return 'was removed';
  const isDown = state.Status === (how === 'stop' ? 'exited' : 'paused');
  const isSame = state.FinishedAt === container.finishedAt && state.StartedAt === container.startedAt;
  return isDown && isSame ? undefined : 'was started';
}

/** `pending`: it may be going down at this moment, by a stop that nobody waits for. */
export type Return = 'back' | 'gone' | 'pending';

/** Brings a container back, unless somebody did already. Throws what the engine says where it cannot. */
export async function bringBack(record: QuiesceRecord, container: RecordedContainer, bootId: string): Promise<Return> {
  const { id } = container;
  const found = await inspectContainer(id);
  if (found === undefined) return 'gone';
  const { Status: status, StartedAt: startedAt } = found.State;
  if (status === 'removing' || status === 'dead') return 'gone';
  if (status === 'exited' || status === 'created') {
    await docker({ args: ['start', id] });
    return 'back';
  }
  if (status === 'paused' && record.how === 'pause') {
    await docker({ args: ['unpause', id] });
    return 'back';
  }
  const mayBeStopping = status === 'running' && startedAt === container.startedAt && record.bootId === bootId;
  return mayBeStopping && !isStopOver(record, container) ? 'pending' : 'back';
}

function isStopOver({ how, until, abandonedAt }: QuiesceRecord, { graceSeconds }: RecordedContainer): boolean {
  if (abandonedAt === undefined) return false;
  const graceMs = how === 'pause' ? 0 : graceSeconds * 1000;
  const overMs = graceMs < 0 ? Date.parse(until) : Date.parse(abandonedAt) + graceMs + LATE_MS;
  return Date.now() > overMs;
}
