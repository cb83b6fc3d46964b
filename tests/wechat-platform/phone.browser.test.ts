import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { PlatformClock, serverOver, WechatPlatform, type WireRequest } from '../fakes/wechat-platform/index.ts';
import { handleDesk } from '../fakes/wechat-platform/page/desk.ts';
import { withBrowser } from '../web/browser.ts';

async function begin(): Promise<{ readonly platform: WechatPlatform; readonly url: string; stop(): void }> {
  const platform = new WechatPlatform({ clock: new PlatformClock({ wall: Date.now }), wireNow: Date.now });
  platform.connect((request: WireRequest) => Promise.resolve({ status: request.body.includes('Encrypt') ? 200 : 500, headers: {}, body: Buffer.from('{"wrong":1}') }));
  platform.person('p1', 'Alice');
  const server = serverOver(handleDesk({ platform, settings: 'TOKEN=x' }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { platform, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, stop: () => { platform.close(); server.closeAllConnections(); server.close(); } };
}

test('a developer follows, writes, sees the failure, moves the clock and changes the channel', async () => {
  const { platform, url, stop } = await begin();
  try {
    await withBrowser({ viewport: { width: 1280, height: 800 } }, async (browser) => {
      const page = await browser.newPage();
      await page.goto(url);
      await page.click('#gate button');
      await page.fill('#words', 'the lamp is broken');
      await page.press('#words', 'Enter');
      await page.waitForSelector('.notice.bad >> nth=1'); // one for following, one for the message
      expect(await page.textContent('.line.self .bubble')).toContain('the lamp is broken');
      expect(await page.locator('#callbacks .record').count()).toBe(2);
      await page.click('[data-hours="48"]');
      await expect.poll(() => page.textContent('#standing')).not.toMatch(/\d/);
      expect(platform.clock.ahead).toBe(48 * 3_600_000);
      await page.click('[data-channel="kf"]');
      await page.fill('#words', 'hello');
      await page.press('#words', 'Enter');
      await expect.poll(() => platform.kf.mailbox.entries.length).toBe(1);
      expect(browser.problems).toEqual([]);
    });
  } finally {
    stop();
  }
});
