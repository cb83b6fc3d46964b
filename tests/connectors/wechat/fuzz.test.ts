import { expect, test } from 'vitest';
import { fuzzCases, fuzzTarget } from './fuzz.ts';

test('20,000 callbacks of every evil sort: each gets the one right answer, what is valid is stored once a delivery, nothing is polluted', async () => {
  const target = await fuzzTarget();
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  let left = 20_000;
  for (const one of fuzzCases(20_261_124)) {
    if ((left -= 1) < 0) break;
    counts.set(one.kind, (counts.get(one.kind) ?? 0) + 1);
    const before = target.stored.size;
    const known = one.messageId !== undefined && target.stored.has(one.messageId);
    const { status, body } = await target.shoot(one);
    const grown = target.stored.size - before;
    if (status !== one.status || (status === 200 && body !== 'success') || grown !== (one.messageId !== undefined && !known ? 1 : 0)) wrong.push(`${one.kind} ${one.url} → ${status} ${body.slice(0, 80)} (+${grown})`);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect([...counts.keys()].length).toBeGreaterThanOrEqual(23);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  await target.app.close();
}, 120_000);
