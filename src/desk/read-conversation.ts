import { AppError } from '../domain/errors.ts';
import type { ConversationId } from '../domain/ids.ts';
import type { IssueType, Place } from '../domain/understanding.ts';
import type { DeskDeps } from './deps.ts';
import { peopleOf, unitName } from './names.ts';
import { ticketSummary } from './read-tickets.ts';
import type { ConversationView } from './views.ts';

const TRANSCRIPT_PAGE = 60;
const TICKETS_SHOWN = 20;

/** All an operator needs on one screen; older lines of the transcript come page by page (`beforeSeq`). */
export async function readConversation(deps: DeskDeps, id: ConversationId, beforeSeq?: number): Promise<ConversationView> {
  const { store } = deps;
  const conversation = await store.conversation(id);
  if (!conversation) throw new AppError('conversation.not_found', `no conversation ${id}`);
  const { residentId, operatorId, memory, channel, mode, handoff, waitingSince, waitingUntil, escalation, readable } = conversation;
  const [messages, tickets, operatorName] = await Promise.all([
    readable ? store.transcript(id, { limit: TRANSCRIPT_PAGE, ...(beforeSeq !== undefined && { beforeSeq }) }) : [],
    store.ticketsOfResident(residentId, TICKETS_SHOWN),
    operatorId === null ? null : peopleOf(store)(operatorId),
  ]);
  return {
    id, channel, mode, handoff, waitingSince, waitingUntil, escalation, readable, messages,
    operator: operatorId === null ? null : { id: operatorId, name: operatorName ?? operatorId },
    draft: memory.draft, later: memory.later.length, route: memory.draft?.type ? routeOf(deps, memory.draft.type, memory.draft.address.place, memory.draft.words.join('\n')) : null,
    tickets: tickets.map((ticket) => ticketSummary(deps, ticket)), now: deps.now(),
  };
}

/** Where it would go if it were opened now. */
export function routeOf(deps: Pick<DeskDeps, 'route' | 'units'>, type: IssueType, place: Place | null, text?: string): { readonly unitName: string | null; readonly because: string } {
  const routed = deps.route({ type, place, ...(text !== undefined && { text }) });
  return { unitName: routed.kind === 'routed' ? unitName(deps, routed.to) : null, because: routed.because };
}
