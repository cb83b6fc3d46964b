import type { Generated, Kysely, Transaction } from 'kysely';

/** Rows as they lie in either engine: numbers, strings and null only; see `codec.ts`. Times are epoch ms. */
export interface Tables {
  settings: { name: string; value: string };
  residents: {
    id: string; channel: string; conversation_id: string; created_at: number; erased_at: number | null;
    /** HMAC of channel and the channel's own id; null after erasure. */
    external_hash: string | null;
    /** The channel's own id, sealed under the resident's key. */
    external_id: string | null;
  };
  resident_keys: { resident_id: string; wrapped: string; master_id: string };
  conversations: {
    id: string; resident_id: string; channel: string; version: number; seq: number;
    mode: string; operator_id: string | null;
    handoff_reason: string | null; handoff_urgency: string | null; queue_rank: number | null; handoff_note: string | null;
    waiting_since: number | null; waiting_until: number | null; escalation: number;
    memory: string | null; delivered_seq: number;
    /** When its next message may be taken; null = nothing to take. */
    ready_at: number | null; lease_owner: string | null; lease_until: number;
    /** Until then the answer inside a callback has the first claim on the outbox. */
    answer_until: number;
  };
  inbox: {
    id: Generated<number>; channel: string; message_id: string; conversation_id: string; seq: number; row_id: string;
    received_at: number; turn_id: string; state: 'ready' | 'done' | 'dead'; attempts: number; error: string | null; done_at: number | null;
  };
  messages: {
    id: string; conversation_id: string; seq: number; author: string; author_name: string | null; at: number;
    body: string; client_id: string | null; idempotency_key: string | null;
  };
  outbox: {
    id: Generated<number>; message_id: string; conversation_id: string; resident_id: string; channel: string;
    idempotency_key: string; turn_id: string; state: 'ready' | 'sent' | 'dead'; attempts: number; run_at: number;
    lease_owner: string | null; lease_until: number; proof: string | null; error: string | null; created_at: number; done_at: number | null;
  };
  jobs: {
    id: Generated<number>; handler: string; lane: string; payload: string; state: 'ready' | 'done' | 'dead'; attempts: number;
    run_at: number; lease_owner: string | null; lease_until: number; error: string | null; created_at: number;
  };
  serials: { day: string; next: number };
  tickets: {
    id: string; number: string; version: number; conversation_id: string; resident_id: string; status: string; state: string;
    type: string; nature: string; disposition: string; urgency: string;
    district: string | null; street: string | null; community: string | null;
    description: string; address: string; media: string; opened_at: number; due_at: number; opened_by: string;
    unit_id: string | null; hops: number; reopened: number; model_version: string; directory_version: string;
    candidates: string; work: string | null; secret: string | null; history_length: number; history_head: string;
  };
  /** What each unit is to a ticket; one row a unit, the weightiest role. */
  ticket_units: { ticket_id: string; unit_id: string; role: string; status: string; due_at: number };
  ticket_history: {
    ticket_id: string; seq: number; kind: string; at: number; actor: string; open: string; sealed: string | null;
    commitment: string; hash: string;
  };
  directories: { version: string; valid_from: string; state: 'draft' | 'released'; by: string; at: number; text: string };
  users: {
    id: string; login: string; name: string; roles: string; unit_id: string | null; disabled: number; password_hash: string;
    failed_logins: number; locked_until: number | null; created_at: number;
  };
  sessions: { token_hash: string; user_id: string; expires_at: number };
  corrections: {
    id: Generated<number>; conversation_id: string; resident_id: string; ticket_id: string | null; user_id: string; at: number;
    before_value: string; after_value: string; words: string; model_version: string;
  };
  /** Appended, never changed. `probability` as decimal text: the codec knows whole numbers only. */
  special_ways: {
    id: Generated<number>; kind: 'told' | 'objected' | 'decided'; telling_id: string; at: number; conversation_id: string; resident_id: string;
    outcome: string; type: string | null; probability: string | null; made_by: string; decision: string | null;
  };
  media: { id: string; resident_id: string; mime: string; bytes: number; at: number };
  awaited_media: {
    id: string; resident_id: string; conversation_id: string; channel: string; medium: string; remote_id: string; attempts: number; run_at: number;
    lease_owner: string | null; lease_until: number;
  };
  leases: { name: string; owner: string; until: number };
}

export type Engine = 'sqlite' | 'postgres';
export type Db = Kysely<Tables> | Transaction<Tables>;

/** One pool, two views: Kysely's own migrator binds booleans while it looks round the schema, which our codec refuses. */
export interface Opened {
  readonly db: Kysely<Tables>;
  readonly unguarded: Kysely<Tables>;
}
