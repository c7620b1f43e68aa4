import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cannotListen, type ListenAddress } from './listen-address.js';

export interface Answer {
  status: 200 | 503;
  contentType: string;
  body: string;
}

export interface ServeInput {
  /** Of the environment, for messages. */
  variable: string;
  address: ListenAddress;
  /** What is answered to GET, by path. */
  routes: Record<string, () => Promise<Answer>>;
}

export interface HttpServer {
  /** With the port that the system chose, where it did. */
  address: ListenAddress;
  close(): Promise<void>;
}

/** Listens for GET. Rejects with a BackupError where the address cannot be had. */
export async function serve({ variable, address, routes }: ServeInput): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (route === undefined) return end(response, 404, `there is only ${Object.keys(routes).join(' and ')}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'GET only\n');
    route().then(
      ({ status, contentType, body }) => end(response, status, body, contentType),
      () => end(response, 500, 'internal error\n'), // its text may be anybody's
    );
  });
  await listening(server, variable, address);
  const { port } = server.address() as AddressInfo;
  return {
    address: { ...address, port },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function end(response: ServerResponse, status: number, body: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(body);
}

async function listening(server: Server, variable: string, address: ListenAddress): Promise<void> {
  const begun = once(server, 'listening');
  server.listen(address);
  try {
    await begun;
  } catch (error) {
    throw cannotListen(variable, address, error as Error);
  }
}
