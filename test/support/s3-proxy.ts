import { createServer, request, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that went through. */
export interface LoggedRequest {
  method: string;
  /** `/bucket/key`, decoded. */
  path: string;
  query: URLSearchParams;
  /** Absent as long as the store has not answered; 0 where the connection was cut first. */
  status?: number;
}

/** What becomes of one request; by default it passes. */
export type Fault =
  /** Is answered by the proxy. */
  | { kind: 'answer'; status: number; body: string }
  /** Never is answered; `release` of the proxy lets it pass. */
  | { kind: 'hold' }
  /** The connection is cut. */
  | { kind: 'cut' }
  /** The answer is cut after so many bytes of its body; `isClean`: it says itself that it is no longer. */
  | { kind: 'cut-answer'; afterBytes: number; isClean?: boolean }
  /** The answer's headers are changed. */
  | { kind: 'headers'; change: (headers: OutgoingHttpHeaders) => void };

/** Stands between a client and an S3 server: counts what is sent, and breaks what a test wants broken. */
export class S3Proxy {
  readonly requests: LoggedRequest[] = [];
  /** Set by a test. */
  fault: (request: LoggedRequest) => Fault | undefined = () => undefined;
  #held: (() => void)[] = [];
  readonly #server = createServer((incoming, answer) => {
    this.#handle(incoming, answer);
  });

  constructor(private readonly target: string) {}

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** http://127.0.0.1:port */
  get endpoint(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** Lets what is held pass, and lifts the fault. */
  release(): void {
    this.fault = () => undefined;
    for (const pass of this.#held.splice(0)) pass();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(incoming: IncomingMessage, answer: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.target);
    const method = incoming.method ?? '';
    const logged: LoggedRequest = { method, path: decodeURIComponent(url.pathname), query: url.searchParams };
    this.requests.push(logged);
    answer.once('close', () => (logged.status ??= 0));
    const fault = this.fault(logged);
    if (fault?.kind === 'hold') this.#held.push(() => this.#pass({ incoming, answer, logged }));
    else if (fault?.kind === 'cut') incoming.socket.destroy();
    else if (fault?.kind === 'answer') {
      incoming.resume().once('end', () => {
        logged.status = fault.status;
        answer.writeHead(fault.status, { 'content-type': 'application/xml' }).end(fault.body);
      });
    } else this.#pass({ incoming, answer, logged, fault });
  }

  #pass({ incoming, answer, logged, fault }: Exchange): void {
    const { method, url: path, headers } = incoming;
    // The Host header stays that of the proxy: it is part of what the client signed.
    const onward = request(this.target, { method, path, headers }, (answered) => {
      logged.status = answered.statusCode ?? 0;
      const changed: OutgoingHttpHeaders = { ...answered.headers };
      if (fault?.kind === 'headers') fault.change(changed);
      const isClean = fault?.kind === 'cut-answer' && fault.isClean === true;
      if (isClean) changed['content-length'] = fault.afterBytes;
      answer.writeHead(logged.status, changed);
      if (fault?.kind === 'cut-answer') cutAfter({ answered, answer, afterBytes: fault.afterBytes, isClean });
      else answered.pipe(answer);
      answered.once('error', () => answer.destroy());
    });
    onward.once('error', () => answer.destroy());
    answer.once('close', () => onward.destroy());
    incoming.pipe(onward);
  }
}

interface Exchange {
  incoming: IncomingMessage;
  answer: ServerResponse;
  logged: LoggedRequest;
  fault?: Fault | undefined;
}

interface Cut {
  answered: IncomingMessage;
  answer: ServerResponse;
  afterBytes: number;
  isClean: boolean;
}

function cutAfter({ answered, answer, afterBytes, isClean }: Cut): void {
  let left = afterBytes;
  answered.on('data', (chunk: Buffer) => {
    const isLast = chunk.length >= left;
    if (left > 0 || !isClean) {
      answer.write(chunk.subarray(0, left), () => {
        if (isLast && !isClean) answer.destroy();
      });
    }
    if (isLast && left > 0 && isClean) answer.end();
    left = Math.max(0, left - chunk.length);
  });
}

/** The numbers of the parts that were sent, whatever became of them. */
export function sentParts(requests: readonly LoggedRequest[]): number[] {
  return requests.filter(isPart).map(partNumber);
}

/** The numbers of the parts that the store took. */
export function acceptedParts(requests: readonly LoggedRequest[]): number[] {
  return sentParts(requests.filter(({ status }) => status === 200));
}

export function partNumber({ query }: LoggedRequest): number {
  return Number(query.get('partNumber'));
}

export function isBegin({ method, query }: LoggedRequest): boolean {
  return method === 'POST' && query.has('uploads');
}

export function isPart({ method, query }: LoggedRequest): boolean {
  return method === 'PUT' && query.has('partNumber');
}

export function isComplete({ method, query }: LoggedRequest): boolean {
  return method === 'POST' && query.has('uploadId');
}

export function isAbort({ method, query }: LoggedRequest): boolean {
  return method === 'DELETE' && query.has('uploadId');
}
