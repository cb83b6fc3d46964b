import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UserId } from '../../src/domain/ids.ts';
import { tokenHash } from '../../src/server/desk/auth.ts';
import { givenUnderstand, reportText } from '../fakes/understanding.ts';
import { makeApp, type TestApp } from '../fakes/test-app.ts';
import { ENGINES } from '../fakes/test-store.ts';

const TOKEN = 'a'.repeat(64);

describe.each(ENGINES)('the directory at the desk on %s', (engine) => {
  let made: TestApp;
  let sample: string;
  beforeAll(async () => {
    made = await makeApp({ engine, understand: givenUnderstand });
    sample = readFileSync(join(made.config.CITY_DIR, 'directory.yaml'), 'utf8');
    const { store } = made.app;
    await store.insertUser({ id: 'd' as UserId, login: 'sunli', name: '孙丽', roles: ['dispatcher'], unitId: null, disabled: false }, 'x', made.now());
    await store.insertSession(tokenHash(TOKEN), 'd' as UserId, made.now() + 3_600_000);
  });
  afterAll(() => made.drop());

  const ask = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    for (let tries = 0; ; tries += 1) {
      const response = await made.app.server.inject({ method, url: `/desk/api${url}`, headers: { 'x-jiban': '1', cookie: `jiban_desk=${TOKEN}` }, ...(payload && { payload }) });
      // Overloaded for a moment: nothing has happened, as any client one asks again.
      if (response.statusCode !== 503 || tries > 40) return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  const today = (): string => new Date(made.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const draft = (version: string, lead = 'police'): string => sample.replace(/^version: .*$/m, `version: ${version}`).replace(/^valid_from: .*$/m, `valid_from: ${today()}`)
    .replace('{ id: utilities.water, type: utilities.water, lead: water,', `{ id: water-new, type: utilities.water, lead: ${lead},`);

  test('a draft is checked, tried on past tickets, kept, and only then decides, without a restart', async () => {
    const who = await made.resident();
    await who.says(reportText(1));
    expect((await who.tickets())[0]?.unitId).toBe('water-110106');

    expect((await ask('POST', '/directories/check', { text: draft('bad', 'nobody') })).body['mistakes']).toEqual([expect.stringMatching(/water-new.*nobody/)]);
    expect((await ask('POST', '/directories/replay', { text: draft('new') })).body).toMatchObject({ tickets: 1, elsewhere: 1, toDispatcher: 0, shown: [{ from: '丰台区供水服务中心', to: '丰台区公安分局', rule: 'water-new' }] });
    await ask('POST', '/directories', { text: draft('new') });
    const later = await made.resident();
    await later.says(reportText(2));
    expect((await later.tickets())[0]?.unitId).toBe('water-110106'); // a draft decides nothing

    expect((await ask('POST', '/directories/new/release')).body).toMatchObject({ inForce: 'new' });
    const last = await made.resident();
    await last.says(reportText(3));
    expect((await last.tickets())[0]).toMatchObject({ unitId: 'police-110106', versions: { directory: 'new' } });
  });

  test('a released version is never rewritten, a draft with a mistake or of yesterday is not released', async () => {
    expect(await ask('POST', '/directories', { text: draft('new', 'power') })).toMatchObject({ status: 422 });
    await ask('POST', '/directories', { text: draft('late').replace(`valid_from: ${today()}`, 'valid_from: 2026-02-01') });
    expect((await ask('POST', '/directories/late/release')).status).toBe(422);
    await ask('POST', '/directories', { text: draft('wrong', 'nobody') });
    expect((await ask('POST', '/directories/wrong/release')).status).toBe(422);
    expect((await ask('GET', '/directories')).body['inForce']).toBe('new');
    expect((await ask('GET', '/directories/new')).body['text']).toContain('water-new');
  });
});
