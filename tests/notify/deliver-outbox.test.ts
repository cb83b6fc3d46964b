import { expect, test } from 'vitest';
import type { OutboundMessage } from '../../src/domain/message.ts';
import type { Connector, Logger, Store } from '../../src/domain/ports.ts';
import { deliverOutbox, retryDelayMs, type DeliveryDeps } from '../../src/notify/deliver-outbox.ts';

const NOW = 1_000_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger;

async function deliver(attempts: number, send: Connector['send'] | null) {
  const seen: string[] = [];
  const ended: unknown[] = [];
  const message = { outboxId: 7, channel: 'web', attempts } as OutboundMessage;
  const store = {
    claimOutbox: async () => [message],
    outboxSent: async (...given: unknown[]) => void ended.push(['sent', ...given]),
    outboxFailed: async (...given: unknown[]) => void ended.push(['failed', ...given]),
  } as unknown as Store;
  const connectors: DeliveryDeps['connectors'] = new Map(send ? [['web', { send } as unknown as Connector]] : []);
  expect(await deliverOutbox({ store, connectors, owner: 'me', now: () => NOW, log: quiet, observe: ({ channel, outcome }) => seen.push(`${channel} ${outcome}`) })).toBe(true);
  return { seen, ended };
}

test('what arrived is kept with its proof', async () => {
  expect(await deliver(0, async () => ({ ok: true, proof: 'p' }))).toEqual({ seen: ['web sent'], ended: [['sent', 7, 'p', NOW]] });
});
test('what may arrive later is tried again, ever more slowly; a connector that throws is no different', async () => {
  expect(await deliver(2, async () => ({ ok: false, retryable: true, code: 'busy' }))).toEqual({ seen: ['web retry'], ended: [['failed', 7, 'busy', NOW + retryDelayMs(2), NOW]] });
  expect(await deliver(0, async () => { throw new TypeError('broken'); })).toEqual({ seen: ['web retry'], ended: [['failed', 7, 'TypeError', NOW + 1_000, NOW]] });
  expect([0, 1, 2, 20].map(retryDelayMs)).toEqual([1_000, 4_000, 16_000, 600_000]);
});
test('the eighth failure, a refusal and a channel nobody serves are final', async () => {
  expect((await deliver(6, async () => ({ ok: false, retryable: true, code: 'busy' }))).seen).toEqual(['web retry']);
  expect(await deliver(7, async () => ({ ok: false, retryable: true, code: 'busy' }))).toEqual({ seen: ['web dead'], ended: [['failed', 7, 'busy', null, NOW]] });
  expect((await deliver(0, async () => ({ ok: false, retryable: false, code: 'blocked' }))).ended).toEqual([['failed', 7, 'blocked', null, NOW]]);
  expect((await deliver(0, null)).seen).toEqual(['web dead']);
});
