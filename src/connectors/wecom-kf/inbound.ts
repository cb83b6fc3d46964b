import { isAppError } from '../../domain/errors.ts';
import type { Instant, MediaId, NewId } from '../../domain/ids.ts';
import type { Chip, InboundContent, InboundMessage } from '../../domain/message.ts';
import type { Logger, Queries, Store, Stored } from '../../domain/ports.ts';
import type { PlatformApi } from '../wechat/platform-api.ts';
import { carriedBy, externalIdOf, ORIGIN, type Carried, type KfMessage } from './kf-message.ts';
import { sendOnEvent } from './outbound.ts';
import { afterState, failCode, isHeldInWecom, stateAfterChange } from './service-state.ts';
import { IN_WECOM } from './words.zh.ts';

export interface KfInboundDeps {
  readonly store: Store;
  readonly api: PlatformApi;
  /** Stores the message and wakes the turn; resolves only after the commit. `also` is part of it. */
  readonly receive: (message: InboundMessage, also?: (tx: Queries) => Promise<void>) => Promise<Stored>;
  /** Wakes whoever shows the conversation. */
  readonly afterCommit: (conversationId: string) => void;
  readonly greeting: { readonly text: string; readonly chips: readonly Chip[] };
  /** Said when a servicer inside WeCom has ended the session. */
  readonly ended: string;
  readonly now: () => Instant;
  readonly newId: NewId;
  readonly log: Logger;
}

/** A welcome's code is good for 20 s. */
const CODE_MS = 18_000;

/** Stores one item of a page; the same item again has no effect. */
export async function keepKf(deps: KfInboundDeps, message: KfMessage, account: string): Promise<void> {
  const openKfid = message.open_kfid ?? message.event?.open_kfid ?? account;
  const user = message.external_userid ?? message.event?.external_userid;
  if (message.event) return keepEvent(deps, message, message.event, user === undefined ? null : externalIdOf(openKfid, user));
  if (user === undefined) return deps.log.warn({ msgtype: message.msgtype }, 'kf.item_without_user');
  const externalId = externalIdOf(openKfid, user);
  if (message.origin === ORIGIN.resident) return keepMessage(deps, message, externalId);
  if (message.origin === ORIGIN.servicer) return keepServicer(deps, message, externalId);
}

/** Erased between our look and our write: whoever writes now is somebody new. */
async function keepMessage(deps: KfInboundDeps, message: KfMessage, externalId: string): Promise<void> {
  try {
    await takeMessage(deps, message, externalId);
  } catch (error) {
    if (!isAppError(error, 'key.destroyed') && !isAppError(error, 'conversation.not_found')) throw error;
    await takeMessage(deps, message, externalId);
  }
}

async function takeMessage(deps: KfInboundDeps, message: KfMessage, externalId: string): Promise<void> {
  const now = deps.now();
  const who = await deps.store.ensureResident('wecom-kf', externalId, now);
  const carried = carriedBy(message);
  const mediaId = carried.kind === 'sends' ? (deps.newId() as MediaId) : null;
  const also = carried.kind === 'sends' && mediaId !== null
    ? (tx: Queries) => tx.awaitMedia({ id: mediaId, ...who, channel: 'wecom-kf', medium: carried.medium, remoteId: carried.remoteId }, now) : undefined;
  await deps.receive({ channel: 'wecom-kf', messageId: message.msgid, ...who, content: contentOf(carried, mediaId), receivedAt: now, turnId: deps.newId() }, also);
}

function contentOf(carried: Carried, mediaId: MediaId | null): InboundContent {
  if (carried.kind === 'says') return carried.content;
  if (carried.kind === 'sends' && carried.medium === 'image' && mediaId !== null) return { kind: 'image', mediaId };
  return { kind: 'unheard', medium: carried.kind !== 'sends' ? 'other' : carried.medium === 'voice' ? 'voice' : 'video', mediaId };
}

/** What someone wrote inside WeCom: the resident has read it there, our transcript keeps it. */
async function keepServicer(deps: KfInboundDeps, message: KfMessage, externalId: string): Promise<void> {
  const now = deps.now();
  const who = await deps.store.ensureResident('wecom-kf', externalId, now);
  const body = { kind: 'text' as const, text: message.text?.content ?? IN_WECOM.notText };
  const conversation = { id: who.conversationId, residentId: who.residentId, channel: 'wecom-kf' as const };
  await deps.store.say(conversation, [{ author: 'operator', authorName: IN_WECOM.servicer, body, idempotencyKey: `kf:${message.msgid}`, alreadySent: true }], now, message.msgid);
  deps.afterCommit(who.conversationId);
}

async function keepEvent(deps: KfInboundDeps, message: KfMessage, event: NonNullable<KfMessage['event']>, externalId: string | null): Promise<void> {
  deps.log.info({ event: event.event_type, changeType: event.change_type, failType: event.fail_type }, 'kf.event');
  switch (event.event_type) {
    case 'msg_send_fail': {
      const known = event.fail_msgid !== undefined && await deps.store.outboxBounced('wecom-kf', event.fail_msgid, failCode(event.fail_type), deps.now());
      return deps.log.warn({ known, code: failCode(event.fail_type) }, 'kf.not_delivered');
    }
    case 'enter_session': return externalId === null || event.welcome_code === undefined ? undefined : sayOnEvent(deps, message, { externalId, code: event.welcome_code, words: deps.greeting });
    case 'session_status_change': return externalId === null ? undefined : changeState(deps, message, event, externalId);
    default: return;
  }
}

async function changeState(deps: KfInboundDeps, message: KfMessage, event: NonNullable<KfMessage['event']>, externalId: string): Promise<void> {
  const state = stateAfterChange(event.change_type);
  if (state === null) return;
  const who = await deps.store.ensureResident('wecom-kf', externalId, deps.now());
  const wasHeld = await deps.store.transaction(async (tx) => {
    const conversation = await tx.conversation(who.conversationId, 'lock');
    const next = conversation ? afterState(conversation, state, IN_WECOM.taken) : null;
    if (next) await tx.saveConversation(next);
    return next !== null && conversation !== null && isHeldInWecom(conversation);
  });
  deps.afterCommit(who.conversationId);
  if (wasHeld && event.msg_code !== undefined) await sayOnEvent(deps, message, { externalId, code: event.msg_code, words: { text: deps.ended, chips: [] } });
}

/** Kept first: an event told twice is answered once. A word that comes too late for its code is not said at all. */
async function sayOnEvent(deps: KfInboundDeps, message: KfMessage, { externalId, code, words }: { readonly externalId: string; readonly code: string; readonly words: KfInboundDeps['greeting'] }): Promise<void> {
  const now = deps.now();
  if (now - message.send_time * 1_000 > CODE_MS) return;
  const who = await deps.store.ensureResident('wecom-kf', externalId, now);
  const conversation = { id: who.conversationId, residentId: who.residentId, channel: 'wecom-kf' as const };
  const key = `kf:event:${message.msgid}`;
  const said = await deps.store.say(conversation, [{ author: 'bot', body: { kind: 'text', ...words }, idempotencyKey: key, alreadySent: true }], now, message.msgid);
  if (said.length === 0) return;
  const answer = await sendOnEvent(deps.api, code, key, words);
  if (!answer.ok) deps.log.warn({ reason: answer.reason, errcode: answer.reason === 'refused' ? answer.errcode : null }, 'kf.event_message_failed');
}
