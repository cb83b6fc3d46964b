import type { Instant } from './ids.ts';
import type { Stage } from './ticket-work.ts';
import type { IssueType } from './understanding.ts';

/** 挂账: the legal stages of a matter that takes long, in order; each with the days it may take at most. */
export interface StagePlan {
  readonly types: readonly IssueType[];
  readonly stages: readonly { readonly key: string; readonly name: string; readonly days: number }[];
}

const DAY_MS = 86_400_000;

/** The stage after `key` (null: the first) as it stands when entered now; null after the last. */
export function nextStage(plan: StagePlan, key: string | null, now: Instant): Stage | null {
  const at = key === null ? 0 : plan.stages.findIndex((stage) => stage.key === key) + 1;
  const stage = key !== null && at === 0 ? undefined : plan.stages[at];
  return stage ? { key: stage.key, name: stage.name, next: plan.stages[at + 1]?.name ?? '', until: now + stage.days * DAY_MS } : null;
}
