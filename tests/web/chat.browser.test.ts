import type { BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEchoServer, type EchoOptions, type EchoServer } from '../connectors/web/echo-server.ts';
import { DESKTOP, PHONE, withBrowser, type TestBrowser } from './browser.ts';
import { buildPages } from './built-pages.ts';
import { story, ticketCard } from './story.ts';

let pages: Awaited<ReturnType<typeof buildPages>>;
let server: EchoServer | undefined;
beforeAll(async () => { pages = await buildPages(); });
afterEach(async () => { await server?.drop(); server = undefined; });
afterAll(async () => { await pages.drop(); });

async function visit(work: (page: Page, server: EchoServer, browser: TestBrowser) => Promise<void>, options: EchoOptions & { browser?: BrowserContextOptions } = {}): Promise<void> {
  const started = await startEchoServer({ answer: story, webRoot: pages.webRoot, ...options });
  server = started;
  await withBrowser(options.browser ?? {}, async (browser) => {
    const page = await browser.newPage();
    await page.goto(started.url);
    await page.getByText('您可以这样开始').waitFor();
    await work(page, started, browser);
  });
}

const box = (page: Page) => page.getByRole('textbox', { name: '请说出问题和地点' });
async function say(page: Page, text: string): Promise<void> {
  await box(page).fill(text);
  await box(page).press('Enter');
}
const bubbles = (page: Page): Promise<string[]> => page.locator('.row .bubble').allInnerTexts();
/** What a lost server must make the browser complain about; anything else is a fault of the page. */
const own = (browser: TestBrowser): string[] => browser.problems.filter((problem) => !/ERR_CONNECTION|ERR_INTERNET|WebSocket connection|503|Failed to load resource/.test(problem));

describe.each([['phone', PHONE], ['desktop', DESKTOP]])('on a %s', (_name, viewport) => {
  test('a whole conversation: opener, chips, a card corrected in place, ticket, emergency', async () => {
    await visit(async (page, { turns }, browser) => {
      await page.getByRole('button', { name: '小区路灯不亮' }).click();
      await page.getByRole('button', { name: '西罗园第二社区' }).click();
      await page.getByText('已选择').waitFor();
      expect(await page.getByRole('button', { name: '西罗园第三社区' }).count()).toBe(0);

      await say(page, '水管爆了');
      await page.getByRole('button', { name: /地点/ }).click();
      await page.getByRole('textbox', { name: '地点', exact: true }).fill('西罗园第二社区 13 号楼');
      await page.getByRole('button', { name: '保存' }).click();
      await page.getByText('已按您的修改更新').waitFor();
      await page.getByRole('button', { name: /事项/ }).click();
      await page.getByRole('button', { name: '房屋漏水' }).click();
      await page.getByText('事项类型改为：房屋漏水').waitFor();
      await expect.poll(() => turns.length).toBe(5);
      expect(turns.slice(-2).map((turn) => turn.content)).toEqual([
        { kind: 'edit', target: 'draft-1', field: 'address', value: '西罗园第二社区 13 号楼' }, { kind: 'edit', target: 'draft-1', field: 'type', value: 'housing.leak' },
      ]);

      await say(page, '到哪一步了');
      const ticket = page.getByRole('region', { name: /工单 261123000042/ });
      await ticket.getByText('正在关阀').waitFor();
      expect(await ticket.getByRole('listitem').count()).toBe(2);
      await ticket.getByRole('button', { name: /查看进度/ }).click();
      expect(await ticket.getByRole('listitem').count()).toBe(4);

      await say(page, '楼下着火了');
      expect(await page.getByRole('link', { name: /119/ }).last().getAttribute('href')).toBe('tel:119');

      await page.getByRole('button', { name: '转人工' }).first().click();
      await expect.poll(() => turns.at(-1)?.content).toEqual({ kind: 'tap', chip: 'human', label: '转人工' });
      expect(browser.problems).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    }, { browser: { viewport } });
  });
});

describe('losing the line', () => {
  test('what is said while the server is away is kept over a reload, sent once on return, and missed replies come in order', async () => {
    await visit(async (page, first, browser) => {
      await say(page, '第一句');
      await page.getByText('请问是哪个小区').waitFor();
      await first.stop();
      await page.getByText('网络不通').waitFor();
      await say(page, '离线第一句');
      await say(page, '离线第二句');
      expect(await page.getByText('等待发送').count()).toBe(2);
      const second = await first.restart();
      server = second;
      await expect.poll(() => second.turns.length, { timeout: 20_000 }).toBe(2);
      await page.getByText('网络不通').waitFor({ state: 'detached' });
      await expect.poll(() => page.locator('.row.bot').count()).toBe(3);
      expect((await bubbles(page)).filter((text) => text.startsWith('离线'))).toEqual(['离线第一句', '离线第二句']);
      expect(await page.getByText('等待发送').count()).toBe(0);
      await page.reload();
      await page.getByText('离线第二句').waitFor();
      expect(await page.locator('.row').count()).toBe(6);
      expect(second.turns.map((turn) => turn.content)).toEqual([{ kind: 'text', text: '离线第一句' }, { kind: 'text', text: '离线第二句' }]);
      expect(own(browser)).toEqual([]);
    });
  });

  test('a page closed with an unsent message sends it when it is opened again', async () => {
    await visit(async (page, first, browser) => {
      await first.stop();
      await page.getByText('网络不通').waitFor();
      await say(page, '关掉之前说的');
      await page.getByText('等待发送').waitFor();
      await page.close();
      const second = await first.restart();
      server = second;
      const again = await browser.newPage();
      await again.goto(second.url);
      await again.getByText('请问是哪个小区').waitFor();
      expect(second.turns.map((turn) => turn.content)).toEqual([{ kind: 'text', text: '关掉之前说的' }]);
    });
  });

  test('a reply that was missed while away is there on return', async () => {
    await visit(async (page, first) => {
      await say(page, '说完就断');
      await page.getByText('请问是哪个小区').waitFor();
      await first.stop();
      await page.getByText('网络不通').waitFor();
      const conversation = await first.test.store.db.selectFrom('conversations').selectAll().executeTakeFirstOrThrow();
      await first.test.store.say({ id: conversation.id as never, residentId: conversation.resident_id as never, channel: 'web' }, [{ author: 'system', body: { kind: 'text', text: '您的工单已派出' }, idempotencyKey: 'k1' }], Date.now(), 't');
      server = await first.restart();
      await page.getByText('您的工单已派出').waitFor();
    });
  });

  test('the browser says it is offline: shown at once; back online: sent at once', async () => {
    await visit(async (page, { turns }, browser) => {
      await browser.setOffline(true);
      await page.getByText('网络不通').waitFor();
      await say(page, '电梯里说的');
      await page.getByText('等待发送').waitFor();
      expect(turns).toHaveLength(0);
      await browser.setOffline(false);
      await page.getByText('请问是哪个小区').waitFor();
      expect(turns).toHaveLength(1);
    });
  });

  test('a store that cannot write: the message stays, is tried again, and is there once', async () => {
    let failure: Error | undefined = new Error('disk on fire');
    await visit(async (page, { turns }) => {
      await say(page, '写不进去');
      await page.getByText('等待发送').waitFor();
      failure = undefined;
      await page.getByText('请问是哪个小区').waitFor();
      expect(turns).toHaveLength(1);
      expect((await bubbles(page)).filter((text) => text === '写不进去')).toHaveLength(1);
    }, { storeFails: () => failure });
  });
});

describe('what is typed', () => {
  test('markup, half characters and direction marks are shown as text and run nothing', async () => {
    await visit(async (page, _server, browser) => {
      await say(page, '<img src=x onerror="document.title=\'hacked\'"><b>粗</b> {{7*7}} \u202e反');
      await page.getByText('请问是哪个小区').waitFor();
      expect((await bubbles(page))[0]).toContain('<img src=x onerror=');
      expect(await page.title()).not.toContain('hacked');
      expect(browser.problems).toEqual([]);
    }, { answer: () => [{ kind: 'text', text: '请问是哪个小区 \ud800' }] });
  });

  test('Enter that ends a pinyin word does not send; Shift+Enter makes a new line', async () => {
    await visit(async (page, { turns }) => {
      await box(page).fill('tingshui');
      await box(page).dispatchEvent('keydown', { key: 'Enter', isComposing: true });
      await box(page).press('Shift+Enter');
      expect(await box(page).inputValue()).toBe('tingshui\n');
      expect(turns).toHaveLength(0);
    });
  });

  test('more than 8,000 characters cannot be sent and are not lost', async () => {
    await visit(async (page, { turns }) => {
      await box(page).fill('水'.repeat(8_001));
      await page.getByText('最多 8000 字').waitFor();
      await box(page).press('Enter');
      expect(await page.getByRole('button', { name: '发送' }).isDisabled()).toBe(true);
      expect((await box(page).inputValue()).length).toBe(8_001);
      expect(turns).toHaveLength(0);
    });
  });

  test('everything can be reached and done with the keyboard alone', async () => {
    await visit(async (page, { turns }) => {
      await box(page).focus();
      await page.keyboard.type('水管爆了');
      await page.keyboard.press('Enter');
      await page.getByText('我记下了').waitFor();
      await page.getByRole('log').focus();
      const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent');
      for (let i = 0; i < 12 && !(await focused()).startsWith('事项'); i += 1) await page.keyboard.press('Tab');
      expect(await focused()).toMatch(/^事项/);
      await page.keyboard.press('Enter');
      await expect.poll(focused).toBe('自来水 · 停水');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await expect.poll(() => turns.at(-1)?.content).toEqual({ kind: 'edit', target: 'draft-1', field: 'type', value: 'utilities.pipe' });
    });
  });
});

describe('pictures and places', () => {
  const picture = () => sharp({ create: { width: 300, height: 200, channels: 3, background: '#36a' } }).jpeg().toBuffer();
  const choose = async (page: Page, file: { name: string; mimeType: string; buffer: Buffer }): Promise<void> => {
    await page.locator('input[type=file]').setInputFiles(file);
  };

  test('a picture is shown, sent, and shown again after a reload', async () => {
    await visit(async (page, { turns }, browser) => {
      await choose(page, { name: 'a.jpg', mimeType: 'image/jpeg', buffer: await picture() });
      await page.getByText('图片收到了').waitFor();
      expect(turns[0]?.content.kind).toBe('image');
      await page.reload();
      const shown = page.locator('.row.own img');
      await shown.first().waitFor();
      await expect.poll(() => page.evaluate('document.querySelector(".row.own img").naturalWidth')).toBe(300);
      expect(browser.problems).toEqual([]);
    });
  });

  test('a file that is no picture is refused in words and can be removed', async () => {
    await visit(async (page, { turns }) => {
      await choose(page, { name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('<html>no picture</html>') });
      await page.getByText('这个文件不是可用的图片').waitFor();
      await page.getByRole('button', { name: '删除' }).click();
      expect(await page.locator('.row').count()).toBe(0);
      expect(turns).toHaveLength(0);
    });
  });

  test('an upload that fails can be tried again and arrives once', async () => {
    await visit(async (page, { turns }) => {
      await page.route('**/chat/media', (route) => route.abort(), { times: 1 });
      await choose(page, { name: 'a.jpg', mimeType: 'image/jpeg', buffer: await picture() });
      await page.getByText('图片没有传上去').waitFor();
      await page.getByRole('button', { name: '重新发送' }).click();
      await page.getByText('图片收到了').waitFor();
      expect(turns).toHaveLength(1);
    });
  });

  test('a place by the device', async () => {
    await visit(async (page, { turns }) => {
      await page.getByRole('button', { name: '更多' }).click();
      await page.getByRole('button', { name: '位置' }).click();
      await page.getByRole('button', { name: '使用我现在的位置' }).click();
      await page.getByPlaceholder('补充说明').fill('12 号楼');
      await page.getByRole('button', { name: '发送这个位置' }).click();
      await page.getByText('位置收到了').waitFor();
      expect(turns[0]?.content).toEqual({ kind: 'location', latitude: 39.8673, longitude: 116.3621, label: '12 号楼' });
    }, { browser: { geolocation: { latitude: 39.8673, longitude: 116.3621, accuracy: 20 }, permissions: ['geolocation'] } });
  });

  test('a place in words where the device may not tell', async () => {
    await visit(async (page, { turns }) => {
      await page.getByRole('button', { name: '更多' }).click();
      await page.getByRole('button', { name: '位置' }).click();
      await page.getByRole('button', { name: '使用我现在的位置' }).click();
      await page.getByText(/没有获得定位权限|现在无法定位/).waitFor();
      await page.getByLabel('直接填写地点').fill('西罗园第二社区 12 号楼');
      await page.getByRole('button', { name: '发送地点' }).click();
      await expect.poll(() => turns[0]?.content).toEqual({ kind: 'text', text: '地点：西罗园第二社区 12 号楼' });
    });
  });
});

describe('who the page is', () => {
  test('the identity is a cookie no script can read, and survives a reload', async () => {
    await visit(async (page, { url }, browser) => {
      const [cookie] = await browser.cookies(url);
      expect(cookie).toMatchObject({ name: 'jiban_resident', httpOnly: true, sameSite: 'Strict', secure: false });
      expect(await page.evaluate('document.cookie')).toBe('');
      await say(page, '记住我');
      await page.getByText('请问是哪个小区').waitFor();
      await page.reload();
      await page.getByText('记住我').waitFor();
    });
  });

  test('a forged cookie gets a new, empty conversation', async () => {
    await visit(async (page, { url, turns }, browser) => {
      await say(page, '别人的话');
      await page.getByText('请问是哪个小区').waitFor();
      const [cookie] = await browser.cookies(url);
      if (!cookie) throw new Error('no cookie');
      await browser.addCookies([{ ...cookie, value: `${cookie.value.slice(0, -8)}AAAAAAAA` }]);
      await page.reload();
      await page.getByText('您可以这样开始').waitFor();
      expect(await page.getByText('别人的话').count()).toBe(0);
      await say(page, '新的话');
      await page.getByText('请问是哪个小区').waitFor();
      expect(turns[0]?.residentId).not.toBe(turns[1]?.residentId);
    });
  });

  test('erasing asks first, empties the page, and a new conversation begins', async () => {
    await visit(async (page, { turns }) => {
      await say(page, '请忘记我');
      await page.getByText('请问是哪个小区').waitFor();
      await page.getByRole('button', { name: '设置' }).click();
      await page.getByRole('button', { name: '清除我的记录' }).click();
      await page.getByText('将无法恢复').waitFor();
      await page.getByRole('button', { name: '确定清除' }).click();
      await page.getByText('您的记录已清除').waitFor();
      expect(await page.getByText('请忘记我').count()).toBe(0);
      await page.getByText('您可以这样开始').waitFor();
      await say(page, '重新开始');
      await page.getByText('请问是哪个小区').waitFor();
      expect(new Set(turns.map((turn) => turn.residentId)).size).toBe(2);
    });
  });
});

test('of an answer taller than the screen the beginning is shown: the emergency number, not what follows it', async () => {
  await visit(async (page) => {
    await say(page, '着火了');
    await page.getByText('承办单位已接单').last().waitFor({ state: 'attached' });
    const call = page.getByRole('link', { name: /119/ });
    await expect.poll(async () => { const at = await call.boundingBox(); return at !== null && at.y > 50 && at.y < PHONE.height - 120; }).toBe(true);
    await page.getByRole('button', { name: /到最新消息|有新消息/ }).click();
    await expect.poll(async () => (await call.boundingBox())?.y ?? 0).toBeLessThan(0);
  }, { answer: () => [{ kind: 'emergency', text: '请立即拨打 119', numbers: ['119'] }, ...[1, 2].map((n) => ({ kind: 'ticket' as const, text: `第 ${n} 张卡片`, card: { ...ticketCard('dispatched', '已派单'), target: `t-${n}` as never } }))] });
});

test('the first load is light, and a long history comes in parts', async () => {
  await visit(async (page, { url }, browser) => {
    for (let i = 0; i < 45; i += 1) {
      await say(page, `第 ${i} 句`);
      await expect.poll(() => page.locator('.row.bot').count()).toBe(i + 1);
    }
    const fresh = await browser.newPage();
    const sizes: number[] = [];
    fresh.on('requestfinished', (request) => { void request.sizes().then((size) => sizes.push(size.responseBodySize)); });
    await fresh.goto(url);
    await fresh.getByText('第 44 句').first().waitFor();
    expect(await fresh.getByText('第 5 句', { exact: true }).count()).toBe(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000);
    await fresh.getByRole('button', { name: '查看更早的消息' }).click();
    await fresh.getByText('第 5 句', { exact: true }).waitFor();
    expect(await fresh.locator('.row').count()).toBe(90);
  }, { answer: () => [{ kind: 'text', text: '好' }] });
});
