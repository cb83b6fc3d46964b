import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimConversation } from '../../../src/desk/claim-conversation.ts';
import { acceptTicket } from '../../../src/desk/move-ticket.ts';
import { makeDesk, makeTicket, POWER, signedIn, waitingConversation, WATER, type Desk } from './desk-harness.ts';

let desk: Desk;
let url: string;
beforeEach(async () => {
  desk = await makeDesk();
  await desk.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(desk.app.server.address() as AddressInfo).port}/desk/api/feed`;
});
afterEach(() => desk.close());

interface Feed { readonly headers: Headers; next(): Promise<{ event: string; data: Record<string, unknown> } | null> }

async function listen(cookie: string, query = ''): Promise<Feed> {
  let response = await fetch(url + query, { headers: { cookie } });
  while (response.status === 503) response = await fetch(url + query, { headers: { cookie } }); // overloaded: asked again, as the page does
  const reader = (response.body ?? expect.fail('no body')).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    headers: response.headers,
    async next() {
      for (;;) {
        const [frame, rest] = text.split('\n\n', 2);
        if (rest !== undefined && frame !== undefined) {
          text = text.slice(frame.length + 2);
          const [, event = '', data = '{}'] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? [];
          return { event, data: JSON.parse(data) as Record<string, unknown> };
        }
        const { done, value } = await reader.read();
        if (done) return null;
        text += value;
      }
    },
  };
}

test('an operator hears which conversation changed, and of the open one also what others write', async () => {
  const { user, cookie } = await signedIn(desk, ['operator']);
  const { id } = await waitingConversation(desk);
  const feed = await listen(cookie, `?conversation=${id}`);
  expect(feed.headers.get('content-type')).toContain('text/event-stream');
  expect(feed.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect((await feed.next())?.event).toBe('hello');
  await claimConversation(desk.deps, user, id);
  expect(await feed.next()).toEqual({ event: 'changed', data: { conversationId: id } });
  expect(await feed.next()).toEqual({ event: 'changed', data: { conversationId: id } });
  desk.deps.coordination.publish(`typing:${id}`, 'resident');
  expect(await feed.next()).toEqual({ event: 'typing', data: { conversationId: id } });
});

test('a unit hears that something moved, and no id of anything; many moves are one', async () => {
  const { cookie } = await signedIn(desk, ['unit'], WATER);
  const feed = await listen(cookie, '?conversation=any');
  expect((await feed.next())?.event).toBe('hello');
  const power = await signedIn(desk, ['unit'], POWER);
  for (const ticket of [await makeTicket(desk, { to: POWER }), await makeTicket(desk, { to: POWER })]) await acceptTicket(desk.deps, power.user, ticket.id);
  expect(await feed.next()).toEqual({ event: 'changed', data: {} });
});

test('a page that reads nothing is cut off, and what it left unread is not kept for it', async () => {
  const { cookie } = await signedIn(desk, ['operator']);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(`GET ${new URL(url).pathname} HTTP/1.1\r\nhost: x\r\ncookie: ${cookie}\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve)); // it is let in
  socket.pause();
  const news = JSON.stringify({ conversationId: 'x'.repeat(64 * 1024) });
  for (let sent = 0; sent < 400; sent += 1) { // 25 MB: more than the system's own buffers take
    desk.deps.coordination.publish('desk', news);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.resume();
  await closed;
  expect(socket.bytesRead).toBeLessThan(20 * 1024 * 1024);
});

test('closing the server ends the streams, so that it can stop', async () => {
  const { cookie } = await signedIn(desk, ['operator']);
  const feed = await listen(cookie);
  expect((await feed.next())?.event).toBe('hello');
  const closing = desk.app.close();
  expect(await feed.next()).toBeNull();
  await closing;
});
