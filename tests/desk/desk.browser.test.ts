import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp, type App } from '../../src/app.ts';
import { DemoResident } from '../../src/cli/demo-resident.ts';
import { until } from '../../src/cli/demo-story.ts';
import { readConfig } from '../../src/config.ts';
import { hashPassword } from '../../src/server/desk/auth.ts';
import type { UnitId, UserId } from '../../src/domain/ids.ts';
import type { Role } from '../../src/domain/desk.ts';
import type { UnderstandingPool } from '../../src/nlp/index.ts';
import { buildLogger } from '../../src/server/logger.ts';
import { ROOT, shippedModel } from '../fakes/test-app.ts';
import { withBrowser, type TestBrowser } from '../web/browser.ts';

const PASSWORD = 'xiluoyuan-12345';
const WATER = 'water-110106' as UnitId;
const DESK = { width: 1440, height: 900 };
const SHOTS = resolve('artifacts/desk');

let root: string;
let pool: UnderstandingPool;
let app: App;
let url: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'jiban-desk-'));
  await mkdir(SHOTS, { recursive: true });
  await build({ configFile: resolve('vite.config.ts'), logLevel: 'error', build: { outDir: join(root, 'dist', 'web'), emptyOutDir: true } });
  pool = await shippedModel();
  app = await buildApp({
    config: readConfig({ DATA_DIR: join(root, 'data'), PORT: '0' }, ROOT), root, logger: buildLogger({ level: 'silent' }), version: 'test',
    understand: (text, context) => pool.understand(text, context),
  });
  url = await app.listen();
});
afterAll(async () => {
  await app.close();
  await pool.close();
  await rm(root, { recursive: true, force: true });
});

async function account(login: string, name: string, roles: readonly Role[], unitId: UnitId | null = null): Promise<void> {
  await app.store.insertUser({ id: `id-${login}` as UserId, login, name, roles, unitId, disabled: false }, await hashPassword(PASSWORD), Date.now());
}

async function signIn(browser: TestBrowser, login: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${url}/desk`);
  await page.fill('input[autocomplete=username]', login);
  await page.fill('input[autocomplete=current-password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('.frame');
  return page;
}

/** The page asks who is signed in before anybody is: that one refusal is no problem. */
const problemsOf = (browser: TestBrowser): readonly string[] => browser.problems.filter((problem) => !problem.includes('401'));
const overflow = (page: Page): Promise<number> => page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
const resident = async (name: string): Promise<DemoResident> => {
  const one = new DemoResident(name, url, () => undefined);
  await one.arrive();
  await until('连上', () => one.isThere);
  return one;
};
const heardBy = (who: DemoResident, words: string) => until(`听到「${words}」`, () => who.repliesAfter(0).some((line) => line.body.text.includes(words)));

test('the one-time link makes the first account and is good for nothing afterwards', async () => {
  const link = await app.setupPath();
  await withBrowser({ viewport: DESK }, async (browser) => {
    const page = await browser.newPage();
    await page.goto(url + (link ?? ''));
    await page.fill('input[autocomplete=name]', '王芳');
    await page.fill('input[autocomplete=username]', 'WangFang');
    for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForSelector('.queue');
    expect(new URL(page.url()).search).toBe('');
    await page.goto(url + (link ?? ''));
    await page.getByText('这个链接已用过').waitFor();
    expect(problemsOf(browser)).toEqual([]);
  });
});

test('two operators press at the same moment: one has the conversation, the other reads why not', async () => {
  await account('zhaolei', '赵磊', ['operator']);
  const who = await resident('李婶');
  who.say('转人工');
  await until('在等人工', () => who.mode === 'waiting');
  await withBrowser({ viewport: DESK }, (first) => withBrowser({ viewport: DESK }, async (second) => {
    const pages = [await signIn(first, 'wangfang'), await signIn(second, 'zhaolei')];
    for (const page of pages) await page.click('.queue .line');
    await Promise.all(pages.map((page) => page.waitForSelector('.talk-head .main')));
    await Promise.all(pages.map((page) => page.keyboard.press('a')));
    await Promise.all(pages.map((page) => page.getByText(/(王芳|赵磊) 正在接待/).waitFor()));
    expect((await Promise.all(pages.map((page) => page.locator('.machine-foot').count()))).sort()).toEqual([0, 1]);
    for (const page of pages) if (await page.locator('.machine-foot').count() === 1) await page.getByRole('button', { name: '交还机器人' }).click();
    await until('回到机器人', () => who.mode === 'bot');
  }));
  expect(who.repliesAfter(0).filter((line) => line.body.text.includes('已接入'))).toHaveLength(1);
  who.leave();
});

test('an operator answers, chooses, opens; the unit resolves on a phone; the resident hears it all', async () => {
  await account('qiangxiu', '抢修班', ['unit'], WATER);
  const who = await resident('张师傅');
  who.say('就是那个事，水管子爆了没水用');
  await until('即办回答', () => who.repliesAfter(0).length > 0);
  who.say('转人工');
  await until('在等人工', () => who.mode === 'waiting');

  await withBrowser({ viewport: DESK }, async (browser) => {
    const zhao = await signIn(browser, 'zhaolei');
    await zhao.click('.queue .line');
    await zhao.waitForSelector('.talk .bubble.resident');
    await zhao.screenshot({ path: join(SHOTS, 'test-waiting-1440.png') });
    await zhao.keyboard.press('a');
    await zhao.waitForSelector('.machine-foot');
    await heardBy(who, '人工坐席 赵磊 已接入');

    await zhao.fill('.composer textarea', '写到一半的话');
    await zhao.reload();
    await expect.poll(() => zhao.inputValue('.composer textarea')).toBe('写到一半的话');
    await zhao.fill('.composer textarea', '您好，请问在哪栋楼？');
    await zhao.press('.composer textarea', 'Enter');
    await heardBy(who, '您好，请问在哪栋楼？');
    who.say('西罗园第二社区12号楼');
    await zhao.getByText('西罗园第二社区12号楼').first().waitFor();
    expect(who.repliesAfter(0).at(-1)?.from).toBe('operator'); // the bot said nothing to that

    await zhao.getByRole('button', { name: /重新识别|根据居民的话生成/ }).click();
    await zhao.waitForSelector('.candidates');
    await zhao.getByLabel('性质').selectOption({ label: '投诉' });
    who.say('在小区东门旁边');
    await expect.poll(() => zhao.getByLabel('详细地址').inputValue()).toContain('东门'); // what the resident adds comes into the form
    expect(await zhao.getByLabel('性质').inputValue()).toBe('complaint'); // what the operator chose stays
    await zhao.fill('.machine input[placeholder="查找社区、街道"]', '西罗园第二社区');
    await zhao.click('.machine .found button');
    await zhao.keyboard.press('Escape');
    await zhao.locator('.candidates button', { hasText: '供水' }).first().click();
    await zhao.getByText('丰台区供水').first().waitFor();
    await zhao.screenshot({ path: join(SHOTS, 'test-draft-1440.png') });
    await zhao.getByRole('button', { name: '开单派发' }).click();
    await heardBy(who, '接线员已为您立单');
    await zhao.getByRole('button', { name: '交还机器人' }).click();
    await until('回到机器人', () => who.mode === 'bot');
    expect(problemsOf(browser)).toEqual([]);
  });

  await withBrowser({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async (browser) => {
    const page = await signIn(browser, 'qiangxiu');
    await page.tap('.ticket-line');
    await page.locator('.actions').getByRole('button', { name: '接单' }).tap();
    await heardBy(who, '已接单');
    await page.locator('.actions').getByRole('button', { name: '发布进展' }).tap();
    await page.fill('.action-form textarea', '抢修队已到现场');
    await page.setInputFiles('.file input', { name: '现场.png', mimeType: 'image/png', buffer: await page.screenshot() });
    await page.waitForSelector('.action-form .pictures img');
    await page.locator('.action-form button[type=submit]').tap();
    await heardBy(who, '抢修队已到现场');
    await expect.poll(() => page.locator('.ticket-body .pictures img').evaluateAll((images) => images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0))).toEqual([true]);
    await page.locator('.actions').getByRole('button', { name: '办结' }).tap();
    await page.fill('.action-form textarea', '修好了');
    expect(await page.locator('.action-form button[type=submit]').isDisabled()).toBe(true);
    await page.fill('.action-form textarea', '更换主管一段，全楼恢复供水');
    await page.locator('.action-form button[type=submit]').tap();
    await heardBy(who, '更换主管一段，全楼恢复供水');
    await heardBy(who, '单位联系过您吗');
    await page.screenshot({ path: join(SHOTS, 'test-unit-360.png') });
    expect(await overflow(page)).toBe(0);
    expect(problemsOf(browser)).toEqual([]);
  });
  who.leave();
});

test('a unit calls another, which reports in and answers; more time is asked, granted by a dispatcher, and the resident reads why', async () => {
  await account('paidan', '孙丽', ['dispatcher']);
  await account('jingcha', '值班民警', ['unit'], 'police-110106' as UnitId);
  const who = await resident('周阿姨');
  who.say('西罗园第二社区9号楼自来水停了，全楼都没水');
  await heardBy(who, '已派给');
  const title = 'call-1440';
  await withBrowser({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, (phone) => withBrowser({ viewport: DESK }, async (wide) => {
    const water = await signIn(phone, 'qiangxiu');
    await water.locator('.ticket-line', { hasText: '9号楼' }).first().tap();
    await water.locator('.actions').getByRole('button', { name: '接单' }).tap();
    await heardBy(who, '已接单');
    await water.locator('.work').getByRole('button', { name: '吹哨' }).tap();
    await water.getByLabel('请哪家单位到场').fill('丰台区公安分局');
    await water.locator('.work .action-form textarea').fill('请到场维持取水秩序');
    await water.locator('.work .action-form button[type=submit]').tap();
    await water.getByText('请到场维持取水秩序').first().waitFor();
    await water.locator('.work').getByRole('button', { name: '申请时限' }).tap();
    await water.locator('.work .action-form textarea').fill('主管配件要从外地调运');
    await water.locator('.work .action-form button[type=submit]').tap();
    await water.getByText(/丰台区供水服务中心申请延期/).waitFor();
    await water.screenshot({ path: join(SHOTS, 'test-work-360.png'), fullPage: true });
    expect(await overflow(water)).toBe(0);

    const police = await signIn(wide, 'jingcha');
    await police.getByRole('button', { name: '吹哨' }).click();
    await police.locator('.ticket-line', { hasText: '9号楼' }).first().click();
    await police.getByRole('button', { name: '我已到场（报到）' }).click();
    await police.getByLabel('答复主责单位（做了什么）').fill('已派两名民警到场维持取水秩序');
    await police.getByRole('button', { name: '提交答复' }).click();
    await police.locator('.tasks .tag', { hasText: '已答复' }).waitFor();
    expect(await police.getByText('详细地址和联系方式只对承办单位和接线员显示').count()).toBe(1);
    await police.screenshot({ path: join(SHOTS, `test-${title}.png`), fullPage: true });
    await police.getByRole('button', { name: '退出' }).click();

    const paidan = await signIn(wide, 'paidan');
    await paidan.locator('.tabs a', { hasText: '工单' }).click();
    await paidan.locator('.ticket-line', { hasText: '9号楼' }).first().click();
    await paidan.locator('.work').getByRole('button', { name: '审批时限' }).click();
    await paidan.locator('.work .action-form textarea').fill('配件情况已核实');
    await paidan.screenshot({ path: join(SHOTS, 'test-decide-1440.png'), fullPage: true });
    await paidan.locator('.work').getByRole('button', { name: '批准', exact: true }).click();
    await heardBy(who, '主管配件要从外地调运');
    expect([...problemsOf(phone), ...problemsOf(wide)]).toEqual([]);
  }));
  who.leave();
});

test('what a resident writes is text on the desk, whatever it looks like', async () => {
  const who = await resident('小明');
  const nasty = `<img src=x onerror=alert(1)><script>document.title='owned'</script>${randomBytes(2).toString('hex')}`;
  who.say(nasty);
  await until('收到', () => who.repliesAfter(0).length > 0);
  who.say('转人工');
  await until('在等人工', () => who.mode === 'waiting');
  await withBrowser({ viewport: DESK }, async (browser) => {
    const page = await signIn(browser, 'zhaolei');
    await page.click('.queue .line');
    await page.getByText(nasty).first().waitFor();
    expect(await page.locator('.lines img').count()).toBe(0);
    expect(await page.title()).toContain('12345');
    expect(problemsOf(browser)).toEqual([]);
  });
  who.leave();
});

test('a session that ended elsewhere leads back to the sign-in, and unsent words are gone with the one who signed out', async () => {
  await withBrowser({ viewport: DESK }, async (browser) => {
    const page = await signIn(browser, 'zhaolei');
    await page.evaluate("localStorage.setItem('jiban.desk.say.x', '没发出的话')");
    await page.getByRole('button', { name: '退出' }).click();
    await page.waitForSelector('.door-card');
    expect(await page.evaluate("localStorage.getItem('jiban.desk.say.x')")).toBeNull();
    const again = await signIn(browser, 'zhaolei');
    await browser.clearCookies();
    await again.click('.tabs a:nth-child(2)');
    await again.waitForSelector('.door-card', { timeout: 15_000 });
  });
});
