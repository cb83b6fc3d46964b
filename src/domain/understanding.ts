/**
 * What the machine makes of one message. Everything that follows (planner, ticket, dispatch, desk) reads this
 * shape and nothing else of the language side.
 */

export const INTENTS = ['report', 'supplement', 'status', 'question', 'human', 'cancel', 'rate', 'chat'] as const;
/** What the resident wants with this message. */
export type Intent = (typeof INTENTS)[number];

export const NATURES = ['inquiry', 'assistance', 'complaint', 'misconduct_report', 'suggestion', 'praise'] as const;
/** 诉求性质. */
export type Nature = (typeof NATURES)[number];

export const DISPOSITIONS = [
  'accept', 'answer', 'emergency_line', 'legal_channel', 'repeat',
  'confidential', 'market_channel', 'unlawful', 'chat',
] as const;
/** How art. 11 of the Regulation disposes of a message. */
export type Disposition = (typeof DISPOSITIONS)[number];

export const URGENCIES = ['h2', 'h24', 'd7', 'd15'] as const;
/** Deadline class, most urgent first. */
export type Urgency = (typeof URGENCIES)[number];

/** A level-2 code of the catalogue, e.g. `utilities.water`. */
export type IssueType = string;

/** One candidate with its calibrated probability, 0–1. */
export interface Scored<T> {
  readonly value: T;
  readonly probability: number;
}

/** A stretch of the text as it was given: UTF-16 code units, end exclusive, `text === given.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export const ADDRESS_PARTS = [
  'province', 'city', 'district', 'town', 'community', 'road', 'roadno', 'poi', 'building', 'unit', 'room', 'near',
] as const;
export type AddressPart = (typeof ADDRESS_PARTS)[number];

/** Administrative codes (GB/T 2260 and its continuation), each as far as it is certain. */
export interface Place {
  readonly district: string | null;
  readonly street: string | null;
  readonly community: string | null;
}

/** A place the text may mean: its codes and the name a resident would recognise it by. */
export interface PlaceCandidate {
  readonly place: Place;
  /** e.g. 「丰台区西罗园街道西罗园第二社区」. */
  readonly label: string;
  /** How well it matches, 0–1; for ordering only, not a probability. */
  readonly score: number;
}

/** What a clerk would still have to ask for this type. */
export type MissingField = 'address' | 'building' | 'what' | 'time' | 'party' | 'ticket';

export interface AddressUnderstanding {
  readonly spans: readonly Span[];
  readonly parts: Readonly<Partial<Record<AddressPart, readonly string[]>>>;
  /** null: no place named, or nothing in the gazetteer fits. */
  readonly place: Place | null;
  /** Name of `place` for people; '' when place is null. */
  readonly label: string;
  readonly missing: readonly MissingField[];
  /** Other places the words fit equally well; non-empty means: ask, don't guess. */
  readonly rivals: readonly PlaceCandidate[];
  /** The text names a place that is surely outside this city. */
  readonly outside: boolean;
}

/** Why a message is urgent: the words, and the rule or 'model' that says so. */
export interface UrgencyEvidence {
  readonly span: Span;
  readonly rule: string;
}

export interface LifeSafety {
  /** Rule ids that fired, strongest first; empty = nothing found. */
  readonly rules: readonly string[];
  /** Numbers to give at once, in order: 119, 120, 110, 122. */
  readonly numbers: readonly ('110' | '119' | '120' | '122')[];
  readonly evidence: readonly UrgencyEvidence[];
}

export type Decision =
  | { readonly kind: 'accept'; readonly reason: string }
  | { readonly kind: 'ask'; readonly ask: 'type' | 'address' | 'building' | 'what' | 'intent'; readonly reason: string }
  | { readonly kind: 'operator'; readonly reason: string };

export interface Understanding {
  readonly intent: Scored<Intent>;
  readonly intents: readonly Scored<Intent>[];
  /** Most probable level-2 code; null when the message carries no matter of its own. */
  readonly type: IssueType | null;
  /** At least five, probabilities of the whole catalogue sum to ≤ 1. */
  readonly candidates: readonly Scored<IssueType>[];
  readonly nature: Scored<Nature> | null;
  readonly disposition: Scored<Disposition>;
  readonly urgency: Scored<Urgency> | null;
  readonly urgencyEvidence: readonly UrgencyEvidence[];
  readonly lifeSafety: LifeSafety;
  readonly address: AddressUnderstanding;
  /** Words that show anger or a threat to complain elsewhere; empty = none. */
  readonly anger: readonly Span[];
  /** A ticket number the text mentions, as written. */
  readonly ticketNumber: string | null;
  readonly decision: Decision;
  /** Content words of the segmented text, for search and near-duplicate detection. */
  readonly tokens: readonly string[];
  /** Encoder, heads, segmenter, gazetteer and rules that judged, e.g. `enc-3f2a/heads-9b1c/jieba-rs/gaz-1/rules-1`. */
  readonly modelVersion: string;
  /** Wall-clock milliseconds inside `understand`. */
  readonly ms: number;
}
