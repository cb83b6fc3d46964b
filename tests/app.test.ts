import { afterEach, expect, test } from 'vitest';
import { givenUnderstand } from './fakes/understanding.ts';
import { makeFleet, type Fleet } from './reliability/app-parts.ts';

let fleet: Fleet | undefined;
afterEach(() => fleet?.drop());

test('one part that cannot be closed keeps none of the others open: the data folder is free again', async () => {
  fleet = await makeFleet({ understand: givenUnderstand });
  const [first] = fleet.apps;
  if (!first) throw new Error('no app');
  first.coordination.close = () => Promise.reject(new Error('the nerve hangs'));
  await expect(first.close()).rejects.toThrow('the nerve hangs');
  const second = await fleet.add();
  await expect(second.store.ping()).resolves.toBeUndefined();
});
