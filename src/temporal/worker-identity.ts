export interface WorkerIdentity {
  host: string;
  hostname: string;
  pid: number;
  /** Of the backup directory; empty where it is not the expected one. */
  directoryId: string;
}

/** How a worker is named in the Web UI and in the list of a queue's pollers; it says which directory the worker writes to. */
export function workerIdentity({ host, hostname, pid, directoryId }: WorkerIdentity): string {
  return `${host} ${pid}@${hostname} directory ${directoryId}`;
}

/** Undefined for an identity that is none of ours. */
export function parseWorkerIdentity(identity: string): WorkerIdentity | undefined {
  const [, host, pid, hostname, directoryId] = /^(\S+) (\d+)@(\S+) directory (.*)$/.exec(identity) ?? [];
  if (host === undefined || hostname === undefined || directoryId === undefined) return undefined;
  return { host, pid: Number(pid), hostname, directoryId };
}
