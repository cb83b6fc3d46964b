/** `node --import tsx tests/web/look.ts`: pictures of the resident's page under artifacts/, to be looked at by people. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { startEchoServer } from '../connectors/web/echo-server.ts';
import { DESKTOP, PHONE, withBrowser } from './browser.ts';
import { story } from './story.ts';

const folder = resolve('artifacts/chat');
await mkdir(folder, { recursive: true });
const picture = await sharp({ create: { width: 900, height: 1200, channels: 3, background: '#6c8ea0' } }).jpeg().toBuffer();

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, viewport] of [['360', PHONE], ['1280', DESKTOP]] as const) {
    const server = await startEchoServer({ answer: story, webRoot: resolve('dist/web'), replyAfterMs: 60 });
    await withBrowser({ viewport, colorScheme, deviceScaleFactor: 2, permissions: [] }, async (browser) => {
      const page = await browser.newPage();
      const shoot = (what: string) => page.screenshot({ path: join(folder, `${name}-${colorScheme}-${what}.png`) });
      const say = async (text: string, reply: string) => {
        await page.getByRole('textbox').first().fill(text);
        await page.keyboard.press('Enter');
        await page.getByText(reply).last().waitFor();
        await page.waitForTimeout(250);
      };
      await page.goto(server.url);
      await page.getByText('您可以这样开始').waitFor();
      await shoot('1-welcome');
      await say('路灯坏了好几天，晚上一片黑', '请问是哪个小区');
      await page.getByRole('button', { name: '西罗园第二社区' }).click();
      await page.getByText('已选择').waitFor();
      await say('12号楼前面水管爆了，水都流到马路上了！！', '我记下了');
      await shoot('2-understood');
      await page.getByRole('button', { name: /事项/ }).click();
      await shoot('3-edit');
      await page.getByRole('button', { name: '给水管道爆裂' }).click();
      await page.getByText('已按您的修改更新').waitFor();
      await page.getByRole('button', { name: '更多' }).click();
      await page.locator('input[type=file]').setInputFiles({ name: 'pipe.jpg', mimeType: 'image/jpeg', buffer: picture });
      await page.getByText('图片收到了').waitFor();
      await page.waitForTimeout(300);
      await shoot('4-picture');
      await say('现在到哪一步了', '抢修人员已到现场');
      await shoot('5-ticket');
      await say('楼下着火了！', '119');
      await shoot('6-emergency');
      await page.getByRole('button', { name: '更多' }).click();
      await page.getByRole('button', { name: '位置' }).click();
      await page.getByRole('button', { name: '使用我现在的位置' }).click();
      await page.waitForTimeout(300);
      await shoot('7-place');
      await page.getByRole('button', { name: '关闭' }).click();
      await server.stop();
      await page.getByRole('textbox').first().fill('断网的时候说的话');
      await page.keyboard.press('Enter');
      await page.getByText('等待发送').waitFor();
      await shoot('8-offline');
      console.log(name, colorScheme, browser.problems.filter((problem) => !/ERR_CONNECTION|WebSocket/.test(problem)));
    });
    await server.drop();
  }
}
