import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { localCoordination } from '../../src/coordination/local.ts';
import { redisCoordination } from '../../src/coordination/redis.ts';
import type { Coordination } from '../../src/domain/ports.ts';
import { buildLogger } from '../../src/server/logger.ts';
import { dropKeys, until } from '../reliability/app-parts.ts';

const HOUR_MS = 3_600_000; // a window that hardly ever ends in the middle of the test
const redisUrl = process.env['REDIS_URL'];
const NERVES: readonly Coordination['engine'][] = redisUrl === undefined ? ['local'] : ['local', 'redis'];

describe.each(NERVES)('the nerve on %s', (engine) => {
  let nerve: Coordination | undefined;
  const prefix = `jiban_test_${randomUUID().slice(0, 8)}:`;
  afterEach(async () => {
    await nerve?.close();
    nerve = undefined;
    if (engine === 'redis' && redisUrl !== undefined) await dropKeys(redisUrl, prefix);
  });
  const open = async (): Promise<Coordination> => {
    const made = engine === 'local' ? localCoordination() : redisCoordination({ url: redisUrl ?? '', prefix, log: buildLogger({ level: 'silent' }) });
    nerve = made;
    await until('it answers', () => made.ping());
    return made;
  };
  /** Until it is heard: a subscription takes a moment to be made. */
  const hears = (made: Coordination, topic: string, heard: readonly string[]): Promise<void> => {
    const before = heard.length;
    return until(`${topic} is heard`, () => { made.publish(topic, 'word'); return heard.length > before; }, 2_000, 20);
  };

  test('who listens hears, each listener of a topic for itself, and who stops hears no more', async () => {
    const made = await open();
    const heard = { first: [] as string[], second: [] as string[], other: [] as string[] };
    const stop = made.subscribe('a', (body) => heard.first.push(body));
    made.subscribe('a', (body) => heard.second.push(body));
    made.subscribe('b', (body) => heard.other.push(body));
    await hears(made, 'a', heard.first);
    expect(heard.second.length).toBeGreaterThan(0);
    expect(heard.other).toEqual([]);
    stop();
    const { length } = heard.first;
    await hears(made, 'a', heard.second);
    expect(heard.first).toHaveLength(length);
  });

  test('a topic that is left and taken up again at once (a page is reloaded) is still heard', async () => {
    const made = await open();
    const heard: string[] = [];
    const stop = made.subscribe('page', (body) => heard.push(body));
    await hears(made, 'page', heard);
    stop();
    made.subscribe('page', (body) => heard.push(body));
    await made.ping(); // whatever answer is still under way has come
    await until('the old line has run out', async () => { const { length } = heard; await made.ping(); return heard.length === length; });
    await hears(made, 'page', heard);
  });

  test('a key may be used as often as its limit says, each key for itself', async () => {
    const made = await open();
    const uses = async (key: string) => [await made.allow(key, 2, HOUR_MS), await made.allow(key, 2, HOUR_MS), await made.allow(key, 2, HOUR_MS)];
    expect(await uses(`x${randomUUID()}`)).toEqual([true, true, false]);
    expect(await uses(`y${randomUUID()}`)).toEqual([true, true, false]);
  });
});
