import { expect, test } from 'vitest';
import { killNine, type KillNineCounts } from '../../bench/kill-nine.ts';

/** The short form of bench/kill-nine: real processes, real kills, the same counts. */
function nothingLostNothingTwice(counts: KillNineCounts): void {
  expect(counts.acknowledged).toBeGreaterThan(50);
  expect(counts.tickets).toBeGreaterThan(10);
  expect(counts).toMatchObject({ lost: 0, turnsTwice: 0, turnsMissing: 0, chainsBroken: 0, noticesMissing: 0, noticesTwice: 0, deadLetters: 0 });
  expect(counts.turnsDone).toBe(counts.stored);
}

test('kill -9, three times under load on SQLite: nothing acknowledged is lost, nothing is done twice', async () => {
  const counts = await killNine({ kills: 3, seed: 7, longestLifeMs: 900 });
  expect(counts.killsOfJiban).toBe(3);
  nothingLostNothingTwice(counts);
}, 180_000);

test.runIf(process.env['DATABASE_URL'])('kill -9 of one of two processes, three times, and of redis-server: the same on PostgreSQL', async () => {
  const counts = await killNine({ kills: 3, seed: 8, longestLifeMs: 900, databaseUrl: process.env['DATABASE_URL'] });
  expect(counts).toMatchObject({ killsOfJiban: 3, killsOfRedis: 1 });
  nothingLostNothingTwice(counts);
}, 300_000);
