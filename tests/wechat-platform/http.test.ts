import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { carryOverHttp, serverOver, WechatPlatform } from '../fakes/wechat-platform/index.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('callbacks and calls go over real HTTP too', async () => {
  const heard: string[] = [];
  const ours = await listen(createServer((request, response) => {
    heard.push(`${request.method ?? ''} ${new URL(request.url ?? '', 'http://x').pathname}`);
    response.end();
  }));
  const platform = new WechatPlatform({ official: { callbackUrl: `${ours}/wechat` } });
  platform.connect(carryOverHttp);
  const alice = platform.person('alice');
  platform.official.follow(alice);
  await platform.settle();
  expect(heard).toEqual(['POST /wechat']);

  const api = await listen(serverOver((request) => platform.handle(request)));
  const { appId, secret } = platform.official.settings;
  const asked = await fetch(`${api}/cgi-bin/stable_token`, { method: 'POST', body: JSON.stringify({ grant_type: 'client_credential', appid: appId, secret }) });
  const { access_token: token } = await asked.json() as { access_token: string };
  const sent = await fetch(`${api}/cgi-bin/message/custom/send?access_token=${token}`, { method: 'POST', body: JSON.stringify({ touser: alice.openId, msgtype: 'text', text: { content: '你好' } }) });
  expect(await sent.json()).toEqual({ errcode: 0, errmsg: 'ok' });
  expect(alice.readTexts()).toEqual(['你好']);

  platform.faults.force('callLost');
  await expect(fetch(`${api}/cgi-bin/stable_token`, { method: 'POST', body: '{}' })).rejects.toThrow(TypeError);
});

test('an address where nobody listens is tried three times', async () => {
  const platform = new WechatPlatform({ official: { callbackUrl: 'http://127.0.0.1:9/wechat' } });
  platform.connect(carryOverHttp);
  const delivery = platform.official.follow(platform.person('alice'));
  await platform.settle();
  expect(delivery.tries.map(({ outcome }) => outcome)).toEqual(Array(3).fill('no_connection'));
});
