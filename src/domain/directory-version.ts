import type { Instant, UnitId } from './ids.ts';
import type { Routable } from './directory.ts';

/** One version of the directory as people see it; `by` and `at`: who wrote or released it, absent for the files of CITY_DIR. */
export interface DirectoryVersion {
  readonly version: string;
  /** `YYYY-MM-DD`, the city's time. */
  readonly validFrom: string;
  readonly state: 'draft' | 'released' | 'file';
  readonly by: string | null;
  readonly at: Instant | null;
}
export interface StoredDirectory extends DirectoryVersion {
  readonly state: 'draft' | 'released';
  readonly by: string;
  readonly at: Instant;
  /** YAML or CSV as docs/directory.md says. */
  readonly text: string;
}

/** A ticket as it was routed, and all that a directory looks at. */
export interface RoutedTicket {
  readonly number: string;
  readonly unitId: UnitId | null;
  readonly matter: Routable;
}
/** One that another directory would send elsewhere. */
export interface Replayed {
  readonly number: string;
  readonly from: UnitId | null;
  /** null = it would wait for a dispatcher. */
  readonly to: UnitId | null;
  readonly rule: string | null;
  readonly because: string;
}

/** What the dispatch room knows of versions; `app.ts` hands it to the desk. */
export interface DirectoryJudge {
  versions(): { readonly inForce: string | null; readonly today: string; readonly ofFiles: readonly DirectoryVersion[] };
  /** Text of a version of the files; null: it is none of them. */
  textOf(version: string): string | null;
  /** `elsewhere` null: the text has mistakes. */
  judge(text: string): {
    readonly version: string; readonly validFrom: string; readonly rows: number; readonly mistakes: readonly string[]; readonly notes: readonly string[];
    readonly elsewhere: ((ticket: RoutedTicket) => Replayed[]) | null;
  };
  /** Reads anew what is released. */
  reload(): Promise<void>;
}
