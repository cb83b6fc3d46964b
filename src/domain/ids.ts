declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

export type ConversationId = Branded<'ConversationId'>;
export type ResidentId = Branded<'ResidentId'>;
export type TicketId = Branded<'TicketId'>;
export type MessageId = Branded<'MessageId'>;
export type MediaId = Branded<'MediaId'>;
export type UserId = Branded<'UserId'>;
export type UnitId = Branded<'UnitId'>;
export type TaskId = Branded<'TaskId'>;

/** Epoch milliseconds, UTC. */
export type Instant = number;

/** Gives a new unique id each time; handed in, so that pure code stays pure. */
export type NewId = () => string;
