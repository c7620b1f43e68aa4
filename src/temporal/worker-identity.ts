export interface WorkerIdentity {
  host: string;
  hostname: string;
  pid: number;
  /** Of the backup directory; empty where it is not the expected one. */
  directoryId: string;
}

const SEPARATOR = ' directory ';

/** How a worker is named in the Web UI and in the list of a queue's pollers; it says which directory the worker writes to. */
export function workerIdentity({ host, hostname, pid, directoryId }: WorkerIdentity): string {
  return `${host} ${pid}@${hostname}${SEPARATOR}${directoryId}`;
}

/** The directory id in an identity of ours; undefined in any other. */
export function directoryIdOf(identity: string): string | undefined {
  return identity.includes(SEPARATOR) ? identity.slice(identity.lastIndexOf(SEPARATOR) + SEPARATOR.length) : undefined;
}
