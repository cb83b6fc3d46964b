import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 800 };

export function browserPath(): string {
  const found = [process.env['CHROMIUM'], ...PLACES].find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error('no Chromium; install Debian\'s `chromium` and `fonts-noto-cjk`, or name one in CHROMIUM');
  return found;
}

export interface TestBrowser extends BrowserContext {
  /** What the pages wrote to the console as errors, and what they threw; a test should end with none. */
  readonly problems: string[];
}

/** A real Chromium with a profile of its own, thrown away afterwards. */
export async function withBrowser<T>(options: BrowserContextOptions, work: (browser: TestBrowser) => Promise<T>): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), 'jiban-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath(), args: FLAGS, viewport: PHONE, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...options,
  });
  const problems: string[] = [];
  const watch = (page: Page): void => {
    page.on('pageerror', (error) => problems.push(`thrown: ${error.message}`));
    page.on('console', (message) => { if (message.type() === 'error') problems.push(`console: ${message.text()}`); });
  };
  for (const page of context.pages()) watch(page);
  context.on('page', watch);
  try {
    return await work(Object.assign(context, { problems }));
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
