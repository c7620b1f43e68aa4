import { open } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { codeOf } from '../destinations/local-errors.js';

/** sun_path of Linux, with its closing NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

/** A socket that listens as long as this process lives: the kernel knows, whatever namespace asks. */
export interface ProcessGuard {
  close(): Promise<void>;
}

/** Makes the socket `name`, which must not be there. It keeps no process alive. */
export async function listenAt(directory: string, name: string): Promise<ProcessGuard> {
  const server = createServer((connection) => connection.destroy());
  server.unref();
  const socket = await socketPath(directory, name);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket.path, resolve);
    });
  } catch (error) {
    await socket.release();
    throw error;
  }
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { close: () => close().finally(socket.release) }; // closing removes the socket by its path
}

/** `open` where somebody listens, else why not: `ECONNREFUSED` of a dead process, `ENOENT` where nobody ever listened. */
export async function knockAt(directory: string, name: string): Promise<string> {
  try {
    const socket = await socketPath(directory, name);
    return await knock(socket.path).finally(socket.release);
  } catch {
    return 'unknown';
  }
}

function knock(socket: string): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve('open');
    });
    connection.once('error', (error) => resolve(codeOf(error) ?? 'unknown'));
  });
}

/** Sockets have short paths: a long one goes by way of the open directory, until that is released. */
export async function socketPath(
  directory: string,
  name: string,
): Promise<{ path: string; release: () => Promise<void> }> {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, release: () => Promise.resolve() };
  const handle = await open(directory, 'r');
  const short = `/proc/${String(process.pid)}/fd/${String(handle.fd)}/${name}`;
  return { path: short, release: () => handle.close() };
}
