import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoDesk } from '../../src/cli/demo-desk.ts';
import { DemoResident } from '../../src/cli/demo-resident.ts';
import { tellStory, type Teller } from '../../src/cli/demo-story.ts';
import { walkHistory } from '../../src/cli/walk-history.ts';
import type { UnderstandingPool } from '../../src/nlp/index.ts';
import { makeApp, shippedModel, type TestApp } from '../fakes/test-app.ts';

let pool: UnderstandingPool;
let running: TestApp;
let url: string;
beforeAll(async () => {
  pool = await shippedModel();
  running = await makeApp({ understand: (text, context) => pool.understand(text, context) });
  url = await running.app.listen();
});
afterAll(async () => {
  await running.drop();
  await pool.close();
});

async function tell(): Promise<{ numbers: readonly [string, string]; lines: string[] }> {
  const lines: string[] = [];
  const teller: Teller = { chapter: (title) => void lines.push(title), line: (who, _, text) => void lines.push(`${who}：${text}`), pause: async () => undefined };
  const hears = (name: string) => new DemoResident(name, url, ({ body }) => { if ('text' in body) lines.push(`→ ${name}：${body.text}`); });
  const token = readFileSync(join(running.config.DATA_DIR, 'admin.token'), 'utf8').trim();
  return { numbers: await tellStory({ aunt: hears('刘阿姨'), uncle: hears('张师傅'), admin: DemoDesk.administrator(url, token), teller }), lines };
}

test('the story goes from the burst pipe to two solved tickets, and again on the same data', async () => {
  const first = await tell();
  const second = await tell();
  expect(new Set([...first.numbers, ...second.numbers]).size).toBe(4);
  for (const number of [...first.numbers, ...second.numbers]) {
    const ticket = await running.app.store.ticketByNumber(number);
    expect(ticket?.state).toMatchObject({ status: 'archived', outcome: { kind: 'answered', answers: { contacted: true, solved: true, satisfied: true } } });
    expect(ticket?.type).toBe('utilities.water');
  }
  const [byBot, byOperator] = await Promise.all(first.numbers.map((number) => running.app.store.ticketByNumber(number)));
  expect([byBot?.openedBy === 'bot', byOperator?.openedBy === 'bot']).toEqual([true, false]);
  expect(byBot && (await running.app.store.history(byBot.id)).filter((entry) => entry.kind === 'ticket_progress')).toHaveLength(3);
});

test('its accounts are shut afterwards, and the first administrator can still be made', async () => {
  const { items } = await running.app.store.users({ limit: 100 });
  expect(items.filter((user) => user.login.startsWith('demo-')).map((user) => user.disabled)).toEqual([true, true]);
  expect(await running.app.setupPath()).toContain('/desk/setup?token=');
});

test('what it left behind has an unbroken history', async () => {
  expect(await walkHistory(running.app.store, 100, () => undefined)).toMatchObject({ tickets: 4, broken: 0 });
});
