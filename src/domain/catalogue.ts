import type { Disposition, IssueType, Nature, Urgency } from './understanding.ts';

/** A level-2 entry of the city's catalogue (诉求分类 and 派单目录 in one). */
export interface CatalogueType {
  readonly code: IssueType;
  readonly zh: string;
  readonly en: string;
  readonly means: string;
  /** Kind of unit that answers first (首接); null: a dispatcher decides. */
  readonly lead: string | null;
  /** Kinds of unit that are whistled (吹哨) when the case needs them. */
  readonly co: readonly string[];
  readonly clock: Urgency;
  /** Told the lawful channel, never dispatched as an ordinary ticket. */
  readonly transferOnly: boolean;
}

export interface CatalogueGroup {
  readonly code: string;
  readonly zh: string;
  readonly en: string;
}

/** Plain data, in the catalogue's order; safe to hand to a worker thread. */
export interface Catalogue {
  /** First 8 hex digits of the SHA-256 of the text it was read from. */
  readonly version: string;
  readonly units: Readonly<Record<string, string>>;
  readonly groups: Readonly<Record<string, CatalogueGroup>>;
  readonly types: Readonly<Record<IssueType, CatalogueType>>;
  readonly dispositions: Readonly<Record<Disposition, { readonly zh: string; readonly means: string }>>;
  readonly natures: Readonly<Record<Nature, string>>;
  readonly urgency: Readonly<Record<Urgency, { readonly zh: string; readonly within: string; readonly means: string }>>;
}

/** 「供水」 for `utilities.water`; the code itself when the catalogue (of today) has no such type. */
export function typeName(catalogue: Catalogue, code: IssueType): string {
  return catalogue.types[code]?.zh ?? catalogue.groups[code]?.zh ?? code;
}

/** `utilities` for `utilities.water`. */
export function levelOne(code: IssueType): string {
  return code.split('.', 1)[0] ?? code;
}
