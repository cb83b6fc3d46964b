import { typeName } from '../domain/catalogue.ts';
import type { ConversationMemory, Draft, Handoff, HandoffReason } from '../domain/conversation.ts';
import type { Chip } from '../domain/message.ts';
import type { MediaId } from '../domain/ids.ts';
import { isOpen, type Ticket } from '../domain/ticket.ts';
import { shortTitle, stageZh } from '../domain/ticket-card.ts';
import type { Urgency } from '../domain/understanding.ts';
import { draftOf } from './draft.ts';
import type { Heard, PlannedReply, TurnCommand, TurnInput, TurnPlan } from './plan.ts';
import { CHIPS, HANDOFF_SAY, WAIT_MINUTES } from './prompts.zh.ts';

/** A second message within this time about the same place is taken to be about the same spot. */
const SAME_SPOT_MS = 30 * 60_000;
const LONGEST_NOTE = 400;

/** What a turn has come to so far: what is going to be said, done and remembered. Lives for one call of `planTurn`. */
export class Turn {
  readonly in: TurnInput;
  memory: ConversationMemory;
  readonly replies: PlannedReply[] = [];
  readonly commands: TurnCommand[] = [];
  handoff: Handoff | null = null;
  endWaiting = false;
  survey: TurnPlan['survey'] = { do: 'none' };

  constructor(input: TurnInput) {
    this.in = input;
    this.memory = { ...input.conversation.memory };
  }

  get danger(): boolean {
    return this.in.lifeSafety.rules.length > 0;
  }

  result(): TurnPlan {
    const { replies, commands, memory, handoff, endWaiting, survey } = this;
    return { replies, commands, memory: { ...memory, greeted: true }, handoff, endWaiting, survey };
  }

  text(text: string, ...chips: Chip[]): void {
    this.replies.push({ kind: 'text', text, ...(chips.length > 0 ? { chips } : {}) });
  }

  remember(change: Partial<ConversationMemory>): void {
    this.memory = { ...this.memory, ...change };
  }

  showTicket(ticket: Ticket, text: (title: string, status: string) => string, ...chips: Chip[]): void {
    this.replies.push({ kind: 'ticket_after', of: { ticket: ticket.id }, say: (card, title) => text(title, card.statusName), ...(chips.length > 0 ? { chips } : {}) });
    this.remember({ lastTicketId: ticket.id });
  }

  handOver(reason: HandoffReason, urgency: Urgency, note: string): void {
    this.handoff = { reason, urgency, note };
    this.text(HANDOFF_SAY[reason](WAIT_MINUTES[urgency]), CHIPS.stopWaiting);
  }

  /** Danger heard while a person waits or speaks: the desk shows it first. */
  alarmOperator(): void {
    const { lifeSafety, conversation: { handoff } } = this.in;
    if (!this.danger || !handoff) return;
    const words = [...new Set(lifeSafety.evidence.map(({ span }) => span.text))].join('、');
    this.handoff = { ...handoff, urgency: 'h2', note: `居民最新消息提到危险（${words}）。${handoff.note}`.slice(0, LONGEST_NOTE) };
  }

  title(ticket: Ticket): string {
    return shortTitle(ticket, this.in.naming);
  }

  /** Where a long matter stands and what comes next; '' where it has no stages. */
  stage(ticket: Ticket): string {
    return stageZh(ticket, this.in.naming.utcOffsetMinutes) ?? '';
  }

  typeName(code: string | null): string {
    return code === null ? '待确认' : typeName(this.in.naming.catalogue, code);
  }

  draftOf({ text, understanding }: Heard, media: readonly MediaId[], id: string = this.in.newId()): Draft {
    return draftOf(text, understanding, { id, now: this.in.now, media, needs: this.in.needs });
  }

  recentTicket(): Ticket | undefined {
    return this.in.tickets.find((ticket) => isOpen(ticket.state.status) && this.in.now - ticket.openedAt < SAME_SPOT_MS);
  }
}
