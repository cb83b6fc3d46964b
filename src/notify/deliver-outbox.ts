import type { Channel, OutboundMessage } from '../domain/message.ts';
import type { Instant } from '../domain/ids.ts';
import type { Connector, Logger, Store } from '../domain/ports.ts';

export interface DeliveryDeps {
  readonly store: Store;
  readonly connectors: ReadonlyMap<Channel, Connector>;
  readonly owner: string;
  readonly now: () => Instant;
  readonly log: Logger;
  /** Told of each attempt, to be counted. */
  readonly observe: (delivery: { readonly channel: Channel; readonly outcome: 'sent' | 'retry' | 'dead' }) => void;
}

const LEASE_MS = 30_000;
const BATCH = 50;
const MOST_TRIES = 8;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10 * 60_000;

/** 1 s, 4 s, 16 s … up to 10 minutes. */
export const retryDelayMs = (attempts: number): number => Math.min(FIRST_RETRY_MS * 4 ** attempts, LONGEST_RETRY_MS);

/**
 * Delivers what is due, one at a time per conversation, at least once; the idempotency key goes along. After the last try the
 * message is dead and shown at the desk, and the conversation's next one is no longer held up.
 *
 * @returns whether there was anything to do
 */
export async function deliverOutbox(deps: DeliveryDeps): Promise<boolean> {
  const claimed = await deps.store.claimOutbox(deps.owner, deps.now(), LEASE_MS, BATCH);
  await Promise.all(claimed.map((message) => deliverOne(deps, message)));
  return claimed.length > 0;
}

async function deliverOne(deps: DeliveryDeps, message: OutboundMessage): Promise<void> {
  const about = { turnId: message.turnId, conversationId: message.conversationId, channel: message.channel, outboxId: message.outboxId };
  const connector = deps.connectors.get(message.channel);
  const sent = connector ? await connector.send(message).catch((error: unknown) => {
    deps.log.error({ ...about, error: error instanceof Error ? error.stack : String(error) }, 'outbox.connector_threw');
    return { ok: false as const, retryable: true, code: error instanceof Error ? error.name : 'unknown' };
  }) : { ok: false as const, retryable: false, code: 'no connector for this channel' };
  if (sent.ok) {
    await deps.store.outboxSent(message.outboxId, sent.proof ?? null, deps.now());
    deps.observe({ channel: message.channel, outcome: 'sent' });
    deps.log.debug(about, 'outbox.sent');
    return;
  }
  const again = sent.retryable && message.attempts + 1 < MOST_TRIES;
  await deps.store.outboxFailed(message.outboxId, sent.code, again ? deps.now() + retryDelayMs(message.attempts) : null, deps.now());
  deps.observe({ channel: message.channel, outcome: again ? 'retry' : 'dead' });
  deps.log[again ? 'warn' : 'error']({ ...about, code: sent.code, attempts: message.attempts + 1 }, again ? 'outbox.retry' : 'outbox.dead');
}
