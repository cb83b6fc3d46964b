import type { Instant } from '../../domain/ids.ts';
import type { Store } from '../../domain/ports.ts';
import type { Ticket } from '../../domain/ticket.ts';
import type { Identity } from './identity.ts';
import { toLine } from './line-feed.ts';

type ExportStore = Pick<Store, 'transcript' | 'ticketsOfResident' | 'history'>;

const PAGE = 200;
const MAX_TICKETS = 1_000;

/** One JSON document, page by page: a long life of messages is never held whole. */
export async function* exportResident(store: ExportStore, identity: Identity, now: Instant): AsyncGenerator<string> {
  yield `{"resident":${JSON.stringify(identity.residentId)},"exportedAt":${now},"transcript":[`;
  yield* list(transcriptLines(store, identity));
  yield '],"tickets":[';
  yield* list(ownTickets(store, identity));
  yield ']}\n';
}

async function* list(items: AsyncGenerator<object>): AsyncGenerator<string> {
  let first = true;
  for await (const item of items) {
    yield (first ? '\n' : ',\n') + JSON.stringify(item);
    first = false;
  }
}

async function* transcriptLines(store: ExportStore, identity: Identity): AsyncGenerator<object> {
  for (let afterSeq = 0; ;) {
    const lines = await store.transcript(identity.conversationId, { afterSeq, limit: PAGE });
    yield* lines.map(toLine);
    const last = lines.at(-1);
    if (!last || lines.length < PAGE) return;
    afterSeq = last.seq;
  }
}

async function* ownTickets(store: ExportStore, identity: Identity): AsyncGenerator<object> {
  for (const ticket of await store.ticketsOfResident(identity.residentId, MAX_TICKETS)) {
    const history = await store.history(ticket.id);
    yield { ...ownView(ticket), history: history.map(({ kind, at, actor, open, sealed }) => ({ kind, at, by: actor.role, ...open, ...sealed })) };
  }
}

/** Theirs to read; who judged it with which model and who handles it inside is not. */
const ownView = ({ number, state, type, nature, urgency, description, address, openedAt, dueAt, media, secret }: Ticket) =>
  ({ number, status: state.status, type, nature, urgency, description, address, openedAt, dueAt, media, own: secret });
