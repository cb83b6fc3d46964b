import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../fakes/wechat-platform/index.ts';
import { play, type Play } from './play.ts';

const stable = (stage: Play, force = false) =>
  stage.call('/cgi-bin/stable_token', { grant_type: 'client_credential', appid: stage.platform.official.settings.appId, secret: stage.platform.official.settings.secret, force_refresh: force });
const plain = (stage: Play) =>
  stage.call(`/cgi-bin/token?grant_type=client_credential&appid=${stage.platform.official.settings.appId}&secret=${stage.platform.official.settings.secret}`);
/** 40003 (nobody has that id) says that the token was good. */
const GOOD = 40_003;
const useOfficial = async (stage: Play, token: unknown) => (await stage.call(`/cgi-bin/message/custom/send?access_token=${String(token)}`, { touser: 'nobody' }))['errcode'];

describe('stable_token', () => {
  test('gives the same token until five minutes before its end, then a new one; both work for a while', async () => {
    const stage = play();
    const first = await stable(stage);
    expect([String(first['access_token']).length, first['expires_in']]).toEqual([512, 7200]);
    await stage.clock.advance(HOUR);
    expect(await stable(stage)).toEqual({ access_token: first['access_token'], expires_in: 3600 });
    await stage.clock.advance(55 * MINUTE);
    const second = await stable(stage);
    expect(second['access_token']).not.toBe(first['access_token']);
    await stage.clock.advance(5 * MINUTE - SECOND);
    expect([await useOfficial(stage, first['access_token']), await useOfficial(stage, second['access_token'])]).toEqual([GOOD, GOOD]);
    await stage.clock.advance(SECOND);
    expect([await useOfficial(stage, first['access_token']), await useOfficial(stage, second['access_token'])]).toEqual([42_001, GOOD]);
  });

  test('forced, ends the old token at once', async () => {
    const stage = play();
    const first = await stable(stage);
    const second = await stable(stage, true);
    expect([await useOfficial(stage, first['access_token']), await useOfficial(stage, second['access_token'])]).toEqual([40_001, GOOD]);
  });

  test('is a line of its own beside /cgi-bin/token, which refreshes with every call', async () => {
    const stage = play();
    const kept = await stable(stage);
    const [first, second] = [await plain(stage), await plain(stage)];
    expect(second['access_token']).not.toBe(first['access_token']);
    expect([await useOfficial(stage, first['access_token']), await useOfficial(stage, kept['access_token'])]).toEqual([GOOD, GOOD]);
    await stage.clock.advance(5 * MINUTE);
    expect([await useOfficial(stage, first['access_token']), await useOfficial(stage, second['access_token']), await useOfficial(stage, kept['access_token'])]).toEqual([40_001, GOOD, GOOD]);
  });

  test.each([
    [{ grant_type: 'x' }, 40_002], [{ grant_type: 'client_credential', appid: 'wx' }, 40_013],
    [{ grant_type: 'client_credential', appid: 'wx5a1b2c3d4e5f6a7b', secret: 'wrong' }, 40_125],
  ])('refuses %o with %i', async (body, errcode) => {
    expect((await play().call('/cgi-bin/stable_token', body))['errcode']).toBe(errcode);
  });
});

test.each([
  ['none', '', 41_001], ['one that is no token', 'abc', 40_014], ['one that was never given', 'A'.repeat(512), 40_001],
])('an Official Account call with %s', async (_name, token, errcode) => {
  expect(await useOfficial(play(), token)).toBe(errcode);
});

test('tokens run out, or are taken away, on demand', async () => {
  const stage = play();
  const token = await stage.officialToken();
  stage.platform.official.tokens.stable.expireAll();
  expect(await useOfficial(stage, token)).toBe(42_001);
  stage.platform.official.tokens.stable.revokeAll();
  expect(await useOfficial(stage, token)).toBe(40_001);
});

test('WeCom: the same token all its life; 40014 for another, 42001 when it is over; not good for the Official Account', async () => {
  const stage = play();
  const token = await stage.kfToken();
  const use = async (given: string) => (await stage.call(`/cgi-bin/kf/sync_msg?access_token=${given}`, { open_kfid: stage.platform.kf.settings.openKfId }))['errcode'];
  expect([await stage.kfToken() === token, await use(token), await use('A'.repeat(512)), await useOfficial(stage, token)]).toEqual([true, 0, 40_014, 40_001]);
  await stage.clock.advance(2 * HOUR);
  expect(await use(token)).toBe(42_001);
  expect((await stage.call(`/cgi-bin/gettoken?corpid=${stage.platform.kf.settings.corpId}&corpsecret=wrong`))['errcode']).toBe(40_001);
});

test('records hold no secret and no token', async () => {
  const stage = play();
  const token = await stage.officialToken();
  await useOfficial(stage, token);
  await stage.kfToken();
  const written = JSON.stringify(stage.platform.calls);
  expect([stage.platform.official.settings.secret, stage.platform.kf.settings.secret, token].filter((secret) => written.includes(secret))).toEqual([]);
  expect(stage.platform.calls.map(({ path, errcode }) => [path, errcode])).toEqual([['/cgi-bin/stable_token', 0], ['/cgi-bin/message/custom/send', 40_003], ['/cgi-bin/gettoken', 0]]);
});
