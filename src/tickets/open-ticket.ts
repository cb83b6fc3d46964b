import type { Draft, Conversation } from '../domain/conversation.ts';
import type { DueAt, NextTicketNumber, OpenTicket } from '../domain/use-cases.ts';
import type { Instant, NewId, TicketId, UserId } from '../domain/ids.ts';
import type { Queries } from '../domain/ports.ts';
import type { Ticket, TicketEvent } from '../domain/ticket.ts';
import { newWork } from '../domain/ticket-work.ts';
import { redact } from './redact.ts';
import { timersFor } from './waits.ts';

/** Pure: the ticket a draft becomes, with its deadline (art. 13: no ticket without one). */
export function ticketOf(
  draft: Draft,
  context: { readonly id: TicketId; readonly number: string; readonly conversation: Pick<Conversation, 'id' | 'residentId'>; readonly openedBy: 'bot' | UserId; readonly now: Instant; readonly dueAt: Instant; readonly directoryVersion: string; readonly description?: string | undefined },
): Ticket {
  return {
    id: context.id, number: context.number, version: 1, conversationId: context.conversation.id, residentId: context.conversation.residentId,
    state: { status: 'opened' }, type: draft.type ?? 'other.unclassified', nature: draft.nature, disposition: draft.disposition, urgency: draft.urgency,
    description: redact(context.description ?? draft.words.join('\n')),
    address: { text: redact(draft.address.publicText), place: draft.address.place, label: draft.address.label, location: draft.address.location },
    media: draft.media, openedAt: context.now, dueAt: context.dueAt, openedBy: context.openedBy, unitId: null, hops: 0, reopened: 0,
    versions: { model: draft.modelVersion, directory: context.directoryVersion }, candidates: draft.candidates.slice(0, 8), work: newWork(context.now),
    secret: { words: draft.words, address: draft.address.text, contact: contactIn(draft.words) },
  };
}

/** A phone number the resident wrote down, so that the unit can reach them (art. 15). */
export function contactIn(words: readonly string[]): string | null {
  const found = /(?<!\d)(?:\+?86[-\s]?)?(1[3-9](?:[-\s]?\d){9})(?!\d)/.exec(words.join('\n'));
  return found?.[1]?.replace(/[-\s]/g, '') ?? null;
}

export function openTicket(deps: { readonly newId: NewId; readonly dueAt: DueAt; readonly directoryVersion: () => string }): OpenTicket {
  return async (tx, { draft, conversation, number, openedBy, now, description }) => {
    const ticket = ticketOf(draft, {
      id: deps.newId() as TicketId, number, conversation, openedBy, now, dueAt: deps.dueAt(draft.urgency, now), directoryVersion: deps.directoryVersion(), description,
    });
    await tx.insertTicket(ticket);
    const opened: TicketEvent = {
      kind: 'ticket_opened', ticketId: ticket.id, at: now,
      actor: openedBy === 'bot' ? { role: 'bot' } : { role: 'operator', userId: openedBy },
      open: { type: ticket.type, nature: ticket.nature, urgency: ticket.urgency, disposition: ticket.disposition, dueAt: ticket.dueAt, model: ticket.versions.model },
      sealed: { words: draft.words, address: draft.address.text },
    };
    await appendAndEmit(tx, ticket, [opened]);
    await tx.schedule(timersFor(null, ticket));
    return ticket;
  };
}

/** Writes history and lets what follows from it begin, in the same transaction. */
export async function appendAndEmit(tx: Queries, ticket: Ticket, events: readonly TicketEvent[]): Promise<void> {
  const entries = await tx.appendHistory(ticket, events);
  await tx.emit(entries.map((entry) => ({ kind: entry.kind, ticketId: ticket.id, conversationId: ticket.conversationId, historySeq: entry.seq, at: entry.at })));
}

const BLOCK = 50;

/** yyMMdd in the city's time + six digits. Numbers are reserved in blocks; a restart leaves a gap, never a repeat. */
export function ticketNumbers(store: Pick<Queries, 'reserveSerials'>, dayOf: (now: Instant) => string): NextTicketNumber {
  let day = '';
  let next = 0;
  let end = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const take = async (now: Instant): Promise<string> => {
    const today = dayOf(now);
    if (today !== day || next >= end) {
      next = await store.reserveSerials(today, BLOCK);
      end = next + BLOCK;
      day = today;
    }
    const serial = next;
    next += 1;
    return `${today}${String(serial).padStart(6, '0')}`;
  };
  return (now) => {
    const mine = turn.then(() => take(now));
    turn = mine.catch(() => undefined); // the caller sees the error; the next one tries anew
    return mine;
  };
}
