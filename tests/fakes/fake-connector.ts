import type { Channel, OutboundMessage, Sent } from '../../src/domain/message.ts';
import type { Connector } from '../../src/domain/ports.ts';

/** Records what it is given, like a platform that takes idempotency keys: the same key again has no effect. */
export class FakeConnector implements Connector {
  readonly channel: Channel;
  /** Every delivery, repetitions included, in the order of arrival. */
  readonly deliveries: OutboundMessage[] = [];
  /** What the resident sees: once per key. */
  readonly seen = new Map<string, OutboundMessage>();
  #answer: (message: OutboundMessage) => Sent | Promise<Sent>;

  constructor(channel: Channel = 'wecom-kf', answer: (message: OutboundMessage) => Sent | Promise<Sent> = () => ({ ok: true })) {
    this.channel = channel;
    this.#answer = answer;
  }

  async send(message: OutboundMessage): Promise<Sent> {
    this.deliveries.push(message);
    const sent = await this.#answer(message);
    if (sent.ok && !this.seen.has(message.idempotencyKey)) this.seen.set(message.idempotencyKey, message);
    return sent;
  }
}
