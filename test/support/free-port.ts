import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which the system gives ports to outgoing connections, so that nobody takes the
// port of a server that is down for a moment and will want it again.
const LOWEST = 11_000;
const HIGHEST = 32_000;

/**
 * A TCP port of 127.0.0.1 on which nobody listens. It is given to nobody else who asks here, in whatever process, as long as
 * this one lives: a server that is down keeps its port, and one that was promised a port may not listen there yet.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await isReserved(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no free TCP port found between ${String(LOWEST)} and ${String(HIGHEST)}`);
}

/** Takes a name that only one process of this network can have, and that the kernel gives free when it ends. */
function isReserved(port: number): Promise<boolean> {
  const reservation = createServer();
  return new Promise((resolve) => {
    reservation.once('error', () => resolve(false));
    reservation.listen(`\0backup-orchestrator-port-${String(port)}`, () => resolve(true));
    reservation.unref();
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
