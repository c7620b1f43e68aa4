import { BackupError } from '../domain/errors.js';

export interface ListenAddress {
  host: string;
  /** 0: the system chooses. */
  port: number;
}

/** Where METRICS_ADDRESS or SDK_METRICS_ADDRESS wants us to listen; undefined where the variable is unset or empty. Throws ConfigInvalid. */
export function listenAddress(variable: string, env = process.env): ListenAddress | undefined {
  const text = env[variable] ?? '';
  if (text === '') return undefined;
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && Number(digits) <= 65_535) return { host, port: Number(digits) };
  const message = `cannot listen on ${variable}: because ${JSON.stringify(text)} is no address of the form host:port`;
  const hint = `set ${variable} to 127.0.0.1:9464, to 0.0.0.0:9464 for all networks of the machine, or to nothing`;
  throw new BackupError('ConfigInvalid', message, { hint });
}

export function addressText({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What to do where an address cannot be had, whoever wanted to listen there. */
export function cannotListen(variable: string, address: ListenAddress, cause: Error): BackupError {
  const message = `cannot listen on ${variable}: because ${addressText(address)} is not to be had: ${cause.message}`;
  if (/EADDRINUSE|address already in use/i.test(cause.message)) {
    const hint = `end what listens there (ss -ltnp), or set ${variable} to another port`;
    return new BackupError('Conflict', message, { hint, cause });
  }
  const hint = `set ${variable} to an address of this machine and a port from 1024 on, or to nothing`;
  return new BackupError('ConfigInvalid', message, { hint, cause });
}
