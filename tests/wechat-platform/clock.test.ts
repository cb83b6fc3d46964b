import { expect, test } from 'vitest';
import { PlatformClock } from '../fakes/wechat-platform/index.ts';

test('sleepers wake at their moment, in order, also those who lie down on the way', async () => {
  const clock = new PlatformClock({ start: 0 });
  const woken: string[] = [];
  const wake = (name: string) => () => void woken.push(`${name}@${clock.now()}`);
  void clock.sleep(300).then(wake('late'));
  void clock.sleep(100).then(wake('early')).then(() => clock.sleep(100)).then(wake('again'));
  await clock.advance(250);
  expect(woken).toEqual(['early@100', 'again@200']);
  await clock.advance(50);
  expect([woken.at(-1), clock.now(), clock.next]).toEqual(['late@300', 300, undefined]);
});

test('a sleeper that is called off never wakes', async () => {
  const clock = new PlatformClock({ start: 0 });
  const off = new AbortController();
  let woken = false;
  void clock.sleep(100, off.signal).then(() => (woken = true));
  off.abort();
  await clock.advance(1000);
  expect([woken, clock.next]).toEqual([false, undefined]);
});

test('a running clock goes with the wall and can be moved ahead of it', async () => {
  let wall = 1000;
  const clock = new PlatformClock({ wall: () => wall });
  wall += 500;
  await clock.advance(3_600_000);
  expect([clock.now(), clock.ahead]).toEqual([3_601_500, 3_600_000]);
  clock.close();
});
