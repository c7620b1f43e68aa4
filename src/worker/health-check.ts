#!/usr/bin/env node
import { get } from 'node:http';

/**
 * Asks the worker of this container or machine on METRICS_ADDRESS how it is: exit code 0 where it is well, else 1 with the reason on
 * stdout. A container engine starts it every half minute, so it loads nothing else.
 */
const TIMEOUT_MS = 5_000;
const EVERYWHERE: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function finish(code: 0 | 1, reason: string): void {
  process.exitCode = code;
  process.stdout.write(`${reason.trim()}\n`);
}

const address = process.env['METRICS_ADDRESS'] ?? '';
const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(address) ?? [];
const named = bracketed ?? plain;
if (named === undefined || Number(port) === 0) {
  finish(
    1,
    `cannot ask the worker: because METRICS_ADDRESS is ${address === '' ? 'not set' : JSON.stringify(address)}`,
  );
} else {
  const request = get(
    { host: EVERYWHERE[named] ?? named, port: Number(port), path: '/health', agent: false, timeout: TIMEOUT_MS },
    (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => finish(response.statusCode === 200 ? 0 : 1, body));
    },
  );
  request.on('timeout', () => request.destroy(new Error(`no answer for ${TIMEOUT_MS / 1000} s`)));
  request.on('error', (error) => finish(1, `cannot ask the worker on ${address}: because ${error.message}`));
}
