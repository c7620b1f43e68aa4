import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { inScratchDirectory, removeDirectory } from './scratch-directory.js';

const FLAGS = [
  '--no-sandbox', // it refuses to run as root otherwise
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface OpenedPage {
  page: Page;
  close: () => Promise<void>;
}

export interface OpenPageInput {
  /** Whatever the page asks of anybody else is refused. */
  origin: string;
  widthPx: number;
  heightPx: number;
  /** Of pictures. */
  scale: number;
}

/** An empty page in a headless Chromium that has never run before, in UTC and English. */
export function openPage({ origin, widthPx, heightPx, scale }: OpenPageInput): Promise<OpenedPage> {
  return inScratchDirectory('browser', async (directory) => {
    const context = await chromium.launchPersistentContext(join(directory, 'profile'), {
      executablePath: '/usr/bin/chromium',
      args: FLAGS,
      viewport: { width: widthPx, height: heightPx },
      deviceScaleFactor: scale,
      locale: 'en-US',
      timezoneId: 'UTC',
      colorScheme: 'light',
    });
    // Chromium gives up all its connections when a network interface comes or goes, and each container brings one. So it is
    // this process that asks.
    await context.route('**/*', async (route) => {
      if (!route.request().url().startsWith(`${origin}/`)) return route.abort();
      const response = await route.fetch().catch(() => undefined); // the page went on to another one
      return (response === undefined ? route.abort() : route.fulfill({ response })).catch(() => undefined);
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const close = async () => {
      await context.close();
      await removeDirectory(directory);
    };
    return { page, close };
  });
}
