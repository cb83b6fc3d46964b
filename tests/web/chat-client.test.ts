import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChatClient, type ClientFrame, type LineEvents, type LineState, type MessageFrame, type Pending, type ServerFrame } from '../../src/web/shared/chat-client.ts';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

/** A client on lines that the test holds the other end of. */
function makeClient(options: { kept?: Pending[]; identity?: () => Promise<void> } = {}) {
  const lines: { events: LineEvents; sent: ClientFrame[]; closed: boolean }[] = [];
  const kept = new Map((options.kept ?? []).map((each) => [each.frame.id, each]));
  const frames: ServerFrame[] = [];
  const states: LineState[] = [];
  let pending: readonly Pending[] = [];
  let identities = 0;
  const client = new ChatClient({
    openLine: (events) => {
      const line = { events, sent: [] as ClientFrame[], closed: false };
      lines.push(line);
      return { send: (text) => line.sent.push(JSON.parse(text) as ClientFrame), close: () => { line.closed = true; } };
    },
    renewIdentity: async () => { identities += 1; await options.identity?.(); },
    pending: { all: () => [...kept.values()], put: (each) => kept.set(each.frame.id, each), remove: (id) => kept.delete(id) },
    now: () => Date.now(), random: () => 0.5,
  }, { frame: (frame) => frames.push(frame), line: (state) => states.push(state), pending: (list) => { pending = list; } });
  const line = (index = lines.length - 1) => lines[index] ?? (() => { throw new Error('no line'); })();
  const give = (frame: ServerFrame): void => line().events.received(JSON.stringify(frame));
  return {
    client, lines, frames, states, kept, line, give, identities: () => identities, pending: () => pending,
    async connect(seq = 0) {
      await vi.advanceTimersByTimeAsync(0);
      line().events.opened();
      give({ t: 'welcome', v: 1, resident: 'r', mode: 'bot', seq, after: seq });
    },
    sentIds: () => line().sent.flatMap((frame) => ('id' in frame ? [frame.id] : [])),
  };
}

const words = (id: string): MessageFrame => ({ t: 'say', id, text: id });
const incoming = (seq: number, clientId?: string): ServerFrame => ({ t: 'message', seq, id: `s${seq}`, from: clientId ? 'resident' : 'bot', at: 0, body: { kind: 'text', text: 'x' }, ...(clientId ? { clientId } : {}) });

describe('sending', () => {
  test('one at a time, in the order said, each until it is stored', async () => {
    const { client, connect, give, sentIds, pending, kept } = makeClient();
    client.start();
    await connect();
    for (const id of ['a', 'b', 'c']) { client.say(words(id)); vi.advanceTimersByTime(1); }
    expect(sentIds()).toEqual(['a']);
    give({ t: 'stored', id: 'a', seq: 1 });
    expect(sentIds()).toEqual(['a', 'b']);
    give(incoming(2, 'b'));
    expect(sentIds()).toEqual(['a', 'b', 'c']);
    give({ t: 'stored', id: 'c', seq: 3 });
    expect([pending(), kept.size]).toEqual([[], 0]);
  });

  test('what was not confirmed when the line broke goes again under the same id', async () => {
    const { client, connect, line, sentIds } = makeClient();
    client.start();
    await connect();
    client.say(words('a'));
    line().events.closed(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    await connect();
    expect(sentIds()).toEqual(['a']);
  });

  test('what a former page left unsent goes first', async () => {
    const { client, connect, give, sentIds } = makeClient({ kept: [{ frame: words('old'), at: 1, state: 'sending' }] });
    client.start();
    client.say(words('new'));
    await connect();
    give({ t: 'stored', id: 'old', seq: 1 });
    expect(sentIds()).toEqual(['old', 'new']);
  });

  test('a refusal for good fails that message and lets the next go', async () => {
    const { client, connect, give, sentIds, pending } = makeClient();
    client.start();
    await connect();
    client.say(words('bad'));
    client.say(words('good'));
    give({ t: 'error', code: 'message.too_large', text: '太长', id: 'bad' });
    expect(sentIds()).toEqual(['bad', 'good']);
    expect(pending()[0]).toMatchObject({ state: 'failed', problem: '太长' });
  });

  test('a refusal for now is tried again later, with growing pauses, before anything said after it', async () => {
    const { client, connect, give, sentIds } = makeClient();
    client.start();
    await connect();
    client.say(words('a'));
    client.say(words('b'));
    for (const pauseMs of [2_000, 4_000, 8_000]) {
      const before = sentIds().length;
      give({ t: 'error', code: 'rate.limited', text: '太快', id: 'a', retry: true });
      vi.advanceTimersByTime(pauseMs - 1);
      expect(sentIds()).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(sentIds().at(-1)).toBe('a');
    }
    give({ t: 'stored', id: 'a', seq: 1 });
    expect(sentIds().at(-1)).toBe('b');
  });
});

describe('receiving', () => {
  test('each line once, told to the server when shown', async () => {
    const { client, connect, give, frames, line } = makeClient();
    client.start();
    await connect();
    for (const seq of [1, 2, 2, 1, 3]) give(incoming(seq));
    expect(frames.flatMap((frame) => (frame.t === 'message' ? [frame.seq] : []))).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(300);
    expect(line().sent.filter((frame) => frame.t === 'ack')).toEqual([{ t: 'ack', seq: 3 }]);
  });

  test('coming back asks for what follows the last line shown', async () => {
    const { client, connect, give, line } = makeClient();
    client.start();
    await connect();
    give(incoming(1));
    give(incoming(2));
    line().events.closed(1012);
    await vi.advanceTimersByTimeAsync(1_000);
    line().events.opened();
    expect(line().sent).toEqual([{ t: 'hello', v: 1, seq: 2 }]);
  });
});

describe('the line', () => {
  test('a line that stays silent where an answer is due is given up', async () => {
    const { client, connect, line, lines, states } = makeClient();
    client.start();
    await connect();
    client.say(words('a'));
    vi.advanceTimersByTime(10_000);
    expect([line(0).closed, states.at(-1)]).toEqual([true, 'offline']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(2);
  });

  test('a quiet line is asked after 25 s and kept when it answers', async () => {
    const { client, connect, give, line, lines } = makeClient();
    client.start();
    await connect();
    for (let i = 0; i < 3; i += 1) {
      vi.advanceTimersByTime(25_000);
      expect(line().sent.at(-1)).toEqual({ t: 'ping' });
      give({ t: 'pong' });
    }
    vi.advanceTimersByTime(20_000);
    expect(lines).toHaveLength(1);
  });

  test('pauses double up to 15 s and begin anew after a welcome', async () => {
    const { client, connect, line, lines } = makeClient();
    client.start();
    await vi.advanceTimersByTimeAsync(0);
    for (const pauseMs of [350, 600, 1_100, 2_100, 4_100, 7_600, 7_600]) {
      line().events.closed(1006);
      const before = lines.length;
      await vi.advanceTimersByTimeAsync(pauseMs - 1);
      expect(lines).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(lines).toHaveLength(before + 1);
    }
    await connect();
    line().events.closed(1006);
    const before = lines.length;
    await vi.advanceTimersByTimeAsync(350);
    expect(lines).toHaveLength(before + 1);
  });

  test('events of a line already given up change nothing', async () => {
    const { client, connect, lines, frames } = makeClient();
    client.start();
    await connect();
    client.lost();
    await vi.advanceTimersByTimeAsync(1_000);
    const told = frames.length;
    lines[0]?.events.received(JSON.stringify(incoming(1)));
    lines[0]?.events.closed(1006);
    expect([frames.length, lines.length]).toEqual([told, 2]);
  });

  test('an identity no longer valid is renewed before coming back, and the new conversation is shown from its start', async () => {
    const { client, connect, give, line, identities } = makeClient();
    client.start();
    await connect();
    give(incoming(1));
    expect(identities()).toBe(1);
    give({ t: 'error', code: 'auth.invalid', text: '失效' });
    line().events.closed(4401);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(identities()).toBe(2);
    line().events.opened();
    expect(line().sent).toEqual([{ t: 'hello', v: 1, seq: 0 }]);
  });

  test('a server that cannot be reached for an identity is tried again', async () => {
    let fails = 2;
    const { client, lines, states } = makeClient({ identity: async () => { if (fails-- > 0) throw new Error('refused'); } });
    client.start();
    await vi.advanceTimersByTimeAsync(0);
    expect([lines.length, states.at(-1)]).toEqual([0, 'offline']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(lines).toHaveLength(1);
  });

  test('stopped means stopped', async () => {
    const { client, connect, lines, line } = makeClient();
    client.start();
    await connect();
    client.stop();
    line().events.closed(1005);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
