import type { PlaceNeeds } from './draft.ts';
import type { Conversation, ConversationMemory, Draft, Handoff } from '../domain/conversation.ts';
import type { NewId, Instant, MediaId, TicketId } from '../domain/ids.ts';
import type { Chip, InboundMessage, Reply, TicketCard } from '../domain/message.ts';
import type { FollowUpAnswers, Ticket, TicketCorrection } from '../domain/ticket.ts';
import type { Naming } from '../domain/ticket-card.ts';
import type { LifeSafety, Understanding } from '../domain/understanding.ts';

/** One matter heard in a message. */
export interface Heard {
  readonly text: string;
  readonly understanding: Understanding;
}

/** Everything the planner looks at; it asks nobody and knows no clock. */
export interface TurnInput {
  readonly conversation: Conversation;
  readonly message: InboundMessage;
  /** The message's words without control characters; '' where it has none. */
  readonly text: string;
  /** null: nothing to understand, or (with `modelDown`) nobody to do it. For an edited address: of the new value. */
  readonly understanding: Understanding | null;
  readonly modelDown: boolean;
  /** Two or more when the message surely holds several matters. */
  readonly matters: readonly Heard[];
  readonly lifeSafety: LifeSafety;
  /** The resident's newest tickets first. */
  readonly tickets: readonly Ticket[];
  readonly now: Instant;
  readonly newId: NewId;
  readonly naming: Naming;
  readonly needs: PlaceNeeds;
}

/** A ticket that may not exist yet: of a draft opened in this turn, or a known one. */
export type TicketRef = { readonly draft: string } | { readonly ticket: TicketId };

/** A reply, or one that shows a ticket as it stands after this turn's commands. */
export type PlannedReply =
  | Reply
  | { readonly kind: 'ticket_after'; readonly of: TicketRef; readonly say: (card: TicketCard, title: string) => string; readonly chips?: readonly Chip[] };

export type TurnCommand =
  | { readonly do: 'open'; readonly draft: Draft }
  | { readonly do: 'supplement'; readonly ticketId: TicketId; readonly text: string; readonly media: readonly MediaId[] }
  /** 送水上门: the community is called to look after someone, beside the matter itself. */
  | { readonly do: 'call_care'; readonly ticketId: TicketId }
  | { readonly do: 'withdraw'; readonly ticketId: TicketId; readonly reason: string }
  | { readonly do: 'correct'; readonly ticketId: TicketId; readonly changes: TicketCorrection }
  | { readonly do: 'object'; readonly special: NonNullable<ConversationMemory['special']> }
  | { readonly do: 'ask_follow_up'; readonly ticketId: TicketId }
  | { readonly do: 'follow_up'; readonly ticketId: TicketId; readonly answers: FollowUpAnswers }
  | { readonly do: 'follow_up_later'; readonly ticketId: TicketId };

export interface TurnPlan {
  readonly replies: readonly PlannedReply[];
  readonly commands: readonly TurnCommand[];
  readonly memory: ConversationMemory;
  readonly handoff: Handoff | null;
  /** From waiting back to the bot, at the resident's wish. */
  readonly endWaiting: boolean;
  /** What the scripted dialog does in this turn; `answer` is the normalized answer. */
  readonly survey:
    | { readonly do: 'none' } | { readonly do: 'drop' }
    | { readonly do: 'begin'; readonly ticketId: TicketId; readonly number: string; readonly title: string }
    | { readonly do: 'continue'; readonly answer: string };
}
