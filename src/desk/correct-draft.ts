import type { Conversation, Draft } from '../domain/conversation.ts';
import type { Correction, User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { ConversationId, Instant, TicketId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import type { TicketAddress, TicketCorrection } from '../domain/ticket.ts';
import type { IssueType, Nature, Place, Urgency } from '../domain/understanding.ts';
import { write, type DeskDeps } from './deps.ts';
import { lockOwn } from './conversation-locks.ts';

/** What an operator may change of a draft before it is a ticket. Absent: as it was. */
export interface DraftChanges {
  readonly type?: IssueType | undefined;
  readonly nature?: Nature | undefined;
  readonly urgency?: Urgency | undefined;
  readonly address?: { readonly text: string; readonly building: string; readonly place: Place | null; readonly label: string } | undefined;
}

/** Keeps the operator's view in the draft, and the difference from the model's as a training example. @throws AppError `conversation.not_yours` */
export async function correctDraft(deps: DeskDeps, operator: User, id: ConversationId, changes: DraftChanges): Promise<void> {
  checkType(deps, changes.type);
  return write(deps, { conversationId: id }, async (tx) => {
    const conversation = await lockOwn(tx, id, operator);
    const draft = draftOf(conversation);
    await tx.saveConversation({ ...conversation, memory: { ...conversation.memory, draft: applyChanges(draft, changes) } });
    await keepCorrection(tx, correctionOf(conversation, draft, changes, operator, deps.now()));
  });
}

/**
 * A draft where the bot has none, or none that is right: the model reads the resident's last words again, all together, or those the operator
 * gives. The model is asked before the transaction, since it may take its time.
 */
export async function redraft(deps: DeskDeps, operator: User, id: ConversationId, words: readonly string[] | null): Promise<void> {
  const heard = words ?? (await deps.store.lastInbound(id, REDRAFT_MESSAGES)).flatMap((content) => (content.kind === 'text' && !ASKS_FOR_PERSON.test(content.text.trim()) ? [content.text] : []));
  if (heard.length === 0) throw new AppError('message.invalid', 'the resident has written nothing to make a draft of');
  const fresh = await deps.interpret(heard, deps.now());
  await write(deps, { conversationId: id }, async (tx) => {
    const conversation = await lockOwn(tx, id, operator);
    const media = conversation.memory.draft?.media ?? conversation.memory.looseMedia;
    await tx.saveConversation({ ...conversation, memory: { ...conversation.memory, draft: { ...fresh, media }, looseMedia: [] } });
  });
}
const REDRAFT_MESSAGES = 6;
/** What called the operator is no part of the matter. */
const ASKS_FOR_PERSON = /^(?:请|我要|帮我)?(?:转接?)?(?:人工|接线员|坐席)(?:客服|服务|坐席)?[!！。.]*$/;

export function draftOf(conversation: Conversation): Draft {
  const { draft } = conversation.memory;
  if (!draft) throw new AppError('message.invalid', 'there is no draft yet: make one from the resident’s words first');
  return draft;
}

export function applyChanges(draft: Draft, changes: DraftChanges): Draft {
  const { type, nature, urgency, address } = changes;
  return {
    ...draft,
    ...(type !== undefined && { type, typeBy: 'operator' as const, typeProbability: 1 }),
    ...(nature !== undefined && { nature }),
    ...(urgency !== undefined && { urgency }),
    ...(address !== undefined && {
      address: { ...draft.address, text: address.text, publicText: address.text, place: address.place, label: address.label, building: address.building, rivals: [] },
      missing: draft.missing.filter((field) => field !== 'address' && field !== 'building'),
    }),
  };
}

/** null when nothing differs from what the machine had. */
export function correctionOf(conversation: Conversation, draft: Draft, changes: DraftChanges, operator: User, at: Instant): Correction | null {
  const now = applyChanges(draft, changes);
  const before: Writable<TicketCorrection> = {};
  const after: Writable<TicketCorrection> = {};
  if (now.type !== draft.type && now.type !== null) {
    if (draft.type !== null) before.type = draft.type;
    after.type = now.type;
  }
  if (now.urgency !== draft.urgency) [before.urgency, after.urgency] = [draft.urgency, now.urgency];
  if (now.nature !== draft.nature) [before.nature, after.nature] = [draft.nature, now.nature];
  if (addressOf(now).text !== addressOf(draft).text || addressOf(now).label !== addressOf(draft).label) [before.address, after.address] = [addressOf(draft), addressOf(now)];
  if (Object.keys(after).length === 0) return null;
  return { conversationId: conversation.id, ticketId: null, userId: operator.id, at, words: draft.words, before, after, modelVersion: draft.modelVersion };
}
type Writable<T> = { -readonly [K in keyof T]: T[K] };

const addressOf = ({ address }: Draft): TicketAddress => ({ text: address.publicText, place: address.place, label: address.label, location: address.location });

export async function keepCorrection(tx: Queries, correction: Correction | null, ticketId: TicketId | null = null): Promise<void> {
  if (correction) await tx.insertCorrection({ ...correction, ticketId });
}

/** @throws AppError `message.invalid` for a code the catalogue does not have, or has only as a group. */
export function checkType({ catalogue }: Pick<DeskDeps, 'catalogue'>, type: IssueType | undefined): void {
  if (type !== undefined && !Object.hasOwn(catalogue.types, type)) throw new AppError('message.invalid', `the catalogue has no type ${type}`);
}
