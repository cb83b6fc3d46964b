import type { Instant, MediaId, NewId } from '../../domain/ids.ts';
import type { Chip, InboundContent, InboundMessage } from '../../domain/message.ts';
import type { ClaimedAnswer, Coordination, Logger, Queries, Store, Stored } from '../../domain/ports.ts';
import type { AnswerDesk, Place } from './answer-desk.ts';
import type { Push } from './parse-push.ts';

export interface InboundDeps {
  readonly store: Store;
  readonly coordination: Pick<Coordination, 'publish' | 'subscribe'>;
  /** Stores the message and wakes the turn; resolves only after the commit. `also` is part of it. */
  readonly receive: (message: InboundMessage, also?: (tx: Queries) => Promise<void>) => Promise<Stored>;
  /** The first words to whoever follows the account. */
  readonly greeting: { readonly text: string; readonly chips: readonly Chip[] };
  readonly desk: AnswerDesk;
  readonly now: () => Instant;
  readonly newId: NewId;
  readonly log: Logger;
}

const NOTHING: ClaimedAnswer = { settled: true, replies: [] };
const SHORT_WORDS = 20;
const CHIPS_OF_LAST = 6;

/** One verified push, stored before anything is answered. @returns what the callback may answer with */
export async function receiveOfficial(deps: InboundDeps, push: Push): Promise<ClaimedAnswer> {
  switch (push.kind) {
    case 'noted':
      deps.log.info({ event: push.event, detail: push.detail }, 'wechat.event');
      return NOTHING;
    case 'greets': return greet(deps, push);
    case 'says': case 'sends': case 'unknown': {
      const place = deps.desk.admit();
      try {
        return await take(deps, push, place);
      } finally {
        place?.leave();
      }
    }
    default: return push satisfies never;
  }
}

async function take(deps: InboundDeps, push: Exclude<Push, { kind: 'noted' | 'greets' }>, place: Place | null): Promise<ClaimedAnswer> {
  const now = deps.now();
  const who = await deps.store.ensureResident('wechat-official', push.openid, now);
  const mediaId = push.kind === 'sends' ? (deps.newId() as MediaId) : null;
  const message: InboundMessage = {
    channel: 'wechat-official', messageId: push.messageId, ...who, content: await contentOf(deps, push, who, mediaId), receivedAt: now, turnId: deps.newId(),
    ...(place ? { answerBy: place.until } : {}),
  };
  const also = push.kind === 'sends' && mediaId !== null
    ? (tx: Queries) => tx.awaitMedia({ id: mediaId, ...who, channel: 'wechat-official', medium: push.medium, remoteId: push.remoteId }, now) : undefined;
  const stored = await deps.receive(message, also);
  deps.log.debug({ turnId: message.turnId, conversationId: who.conversationId, outcome: stored.outcome }, 'wechat.received');
  if (place) return deps.desk.wait(message, place.until);
  // Nobody waits here; a message that came before is still answered as it was.
  return stored.outcome === 'duplicate' ? deps.desk.claim(message) : NOTHING;
}

type Who = Awaited<ReturnType<Store['ensureResident']>>;

async function contentOf(deps: InboundDeps, push: Exclude<Push, { kind: 'noted' | 'greets' }>, who: Who, mediaId: MediaId | null): Promise<InboundContent> {
  if (push.kind === 'unknown') return { kind: 'unheard', medium: 'other', mediaId: null };
  if (push.kind === 'sends') return push.medium === 'image' && mediaId !== null ? { kind: 'image', mediaId } : { kind: 'unheard', medium: push.medium === 'voice' ? 'voice' : 'video', mediaId };
  const { content } = push;
  if (content.kind !== 'text' || content.text.length > SHORT_WORDS) return content;
  const chip = (await lastChips(deps, who)).find(({ label }) => label === content.text.trim());
  return chip ? { kind: 'tap', chip: chip.id, label: chip.label } : content;
}

/** Who types a choice's words in place of tapping it has chosen it. A bare number is none: it may be the house asked for. */
async function lastChips(deps: InboundDeps, who: Who): Promise<readonly Chip[]> {
  const last = await deps.store.transcript(who.conversationId, { beforeSeq: Number.MAX_SAFE_INTEGER, limit: CHIPS_OF_LAST });
  for (const { body } of [...last].reverse()) if ('chips' in body && body.chips) return body.chips;
  return [];
}

/** Said once for each event, however often the platform tells of it. */
async function greet(deps: InboundDeps, push: Push): Promise<ClaimedAnswer> {
  const now = deps.now();
  const who = await deps.store.ensureResident('wechat-official', push.openid, now);
  const { messageId } = push;
  return deps.store.transaction(async (tx) => {
    const conversation = await tx.conversation(who.conversationId, 'lock');
    if (!conversation || conversation.mode !== 'bot') return NOTHING;
    const body = { kind: 'text' as const, text: deps.greeting.text, chips: deps.greeting.chips };
    await tx.say(conversation, [{ author: 'bot', body, idempotencyKey: `greet:${messageId}` }], now, messageId);
    return tx.claimAnswer({ channel: 'wechat-official', messageId, ...who }, { now, leaseMs: 20_000, limit: 10 });
  });
}
