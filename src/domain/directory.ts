import type { Instant, UnitId } from './ids.ts';
import type { IssueType, Place, Urgency } from './understanding.ts';

/** A unit that can act: a department, a utility, a property company, a subdistrict. */
export interface Unit {
  readonly id: UnitId;
  readonly name: string;
  /** Kind of the catalogue (`water`, `subdistrict`, …) or `DISTRICT_GOVERNMENT`. */
  readonly kind: string;
  /** Administrative code prefix it answers for; '' = the whole city. */
  readonly area: string;
  /** Works round the clock (art. 19: water, power, gas, heat, rescue). */
  readonly allDay: boolean;
}

/** 区人民政府: gets a copy, and what nobody below it can be named for (art. 12). No kind of the catalogue: no type leads to it. */
export const DISTRICT_GOVERNMENT = 'district_government';
/** 社区/居委会: leads only what stands in its list (art. 17). */
export const COMMUNITY = 'community';
/** 市级: looks after what a district’s unit is late with. No kind of the catalogue either. */
export const CITY_OFFICE = 'city_office';

/**
 * Kinds of unit whose office it is to look into what others do. A 举报 that the directory sends to one of them is about somebody else: it
 * goes there, and the unit reads the matter, never the reporter. Any other unit may itself be the accused.
 */
export const INVESTIGATORS: ReadonlySet<string> = new Set(['police', 'traffic_police', 'fire', 'urban_enforcement', 'environment', 'market', 'planning', 'agriculture', 'tax']);

/** A certain unit, or the unit of this kind nearest above the place. */
export type Lead = { readonly kind: string } | { readonly unit: UnitId };

/** What a row says of time, in the city's own time. Absent parts mean always; all that are there must hold. */
export interface TimeWindow {
  /** `MM-DD`, both ends included; may run over New Year. */
  readonly season: { readonly from: string; readonly to: string } | null;
  /** 1 = Monday … 7 = Sunday. */
  readonly weekdays: readonly number[] | null;
  /** Minutes of the day, the end excluded; may run over midnight. */
  readonly hours: { readonly from: number; readonly to: number } | null;
}

/** One row of the 派单目录. */
export interface DirectoryRow {
  /** Unique in its file; recorded with the dispatch. */
  readonly id: string;
  /** Level-2 code, level-1 code, or `*`. */
  readonly type: string;
  /** Administrative code of the subtree: district 6, street 9, community 12 digits; '' = anywhere. */
  readonly area: string;
  /** Whose the thing is (权属), a key of `Directory.owners`; null = whoever's. */
  readonly owner: string | null;
  readonly time: TimeWindow | null;
  /** Who acts; or who has to confer (会商) before a dispatcher decides. */
  readonly to: { readonly lead: Lead } | { readonly confer: readonly Lead[] };
  /** May be called when the case needs them. */
  readonly co: readonly Lead[];
  /** Called at once with the dispatch (自动吹哨). */
  readonly call: readonly Lead[];
  /** At the latest; it can shorten a ticket's time, never lengthen it. */
  readonly clock: Urgency | null;
}

export interface Owner {
  readonly zh: string;
  /** Words by which a description tells that the thing is this owner's. */
  readonly words: readonly string[];
}

/** One version of the 派单目录, in force on the days from `validFrom` to `validTo`. */
export interface Directory {
  readonly version: string;
  /** `YYYY-MM-DD` in the city's time, included. */
  readonly validFrom: string;
  /** Included; null = until another version begins. */
  readonly validTo: string | null;
  readonly rows: readonly DirectoryRow[];
  readonly owners: ReadonlyMap<string, Owner>;
  /** Kind of the unit that stands in for its district (兜底). */
  readonly fallback: string;
  /** Whether the district hears of what goes to its streets and towns only (art. 12), or of all that goes directly to a unit. */
  readonly copies: 'streets' | 'all';
  readonly units: ReadonlyMap<UnitId, Unit>;
  /** Code → name of every district and street. */
  readonly places: ReadonlyMap<string, string>;
  readonly utcOffsetMinutes: number;
}

/** Art. 12: straight to the unit that can act, or to the district where only the district is known. */
export type Way = 'direct' | 'district';
/** Why a matter is hard: nothing fits, something is still unknown, no unit is registered, or several are equally right. */
export type Hardness = 'no_directory' | 'no_rule' | 'not_dispatched' | 'place_unknown' | 'owner_unknown' | 'no_unit' | 'rivals' | 'confer';

/** Where a matter goes; `version`, `rule` (the row) and `because` (for the resident) stand in the ticket's history. */
export type Routed =
  | {
    readonly kind: 'routed'; readonly to: UnitId; readonly rule: string; readonly because: string; readonly version: string;
    readonly way: Way; readonly co: readonly UnitId[]; readonly call: readonly UnitId[]; readonly copies: readonly UnitId[]; readonly clock: Urgency | null;
  }
  | {
    readonly kind: 'unrouted'; readonly because: string; readonly version: string; readonly why: Hardness;
    /** The row that asks for it; null where no row fits. */
    readonly rule: string | null;
    /** Units among which a dispatcher has to decide. */
    readonly rivals: readonly UnitId[];
  };

/** What routing looks at. */
export interface Routable {
  readonly type: IssueType;
  readonly place: Place | null;
  /** Words in which the owner of the thing may be named; absent = owner unknown. */
  readonly text?: string;
  /** When it was reported; absent = rows that name a time don't fit. */
  readonly at?: Instant;
}
