import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChangedDate {
  endpoint: string;
  close: () => Promise<void>;
}

/** A way to an HTTP server on which its answers tell another time: `offsetMs` later than it is. */
export async function changeDate(endpoint: string, offsetMs: number): Promise<ChangedDate> {
  const server = createServer((asked, answer) => forward(endpoint, offsetMs, asked, answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** The `host` header goes on as it came: requests are signed with it. */
function forward(endpoint: string, offsetMs: number, asked: IncomingMessage, answer: ServerResponse): void {
  const { hostname, port } = new URL(endpoint);
  const { method, url: path, headers } = asked;
  const onward = request({ hostname, port, method, path, headers }, (got) => {
    const date = new Date(Date.now() + offsetMs).toUTCString();
    answer.writeHead(got.statusCode ?? 502, { ...got.headers, date });
    got.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  asked.pipe(onward);
}
